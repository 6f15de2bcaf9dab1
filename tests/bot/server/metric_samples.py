"""The samples of a metrics page, by name and labels."""

from prometheus_client.parser import text_string_to_metric_families

from bot.server.metrics import Metrics

Sample = tuple[str, frozenset[tuple[str, str]]]


def sample(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


def samples(metrics: Metrics) -> dict[Sample, float]:
    families = text_string_to_metric_families(metrics.page().decode())
    return {sample(each.name, **each.labels): each.value for family in families for each in family.samples}
