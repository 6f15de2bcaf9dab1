"""Every export is accepted as it is by what it is for: real trainers, loaders and validators."""

import json
import re
from typing import Any

import pytest

from feedback.export.exporter import write_export
from feedback.export.formats import FORMATS
from feedback.export.request import ExportRequest
from retrieval.embedding.model_files import DEFAULT_MODEL, model_folder
from retrieval.ranking.configuration import RankingConfiguration, load_configuration
from tests.feedback.export.samples import Registry, many
from tests.trainers.conftest import AT
from tests.trainers.environments import python, run

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]

LOAD = """
import json, sys
from datasets import load_dataset
export, manifest = sys.argv[1], json.load(open(sys.argv[1] + "/manifest.json"))
for path, summary in manifest["files"].items():
    if path.endswith(".jsonl") and summary["rows"]:
        rows = load_dataset("json", data_files=export + "/" + path, split="train")
        assert rows.num_rows == summary["rows"], path
for name, summary in manifest["formats"].items():
    if name != "beir":
        data = load_dataset(export, name)
        assert {split: rows.num_rows for split, rows in data.items()} == {
            split: rows for split, rows in summary["splits"].items() if rows
        }, name
print("LOADED", sorted(load_dataset(export, "trl-kto")["train"].features["label"].dtype))
"""
CARD = """
import sys
from huggingface_hub import DatasetCard
data = DatasetCard.load(sys.argv[1] + "/README.md").data
print("CARD", data.language, data.license, len(data.configs))
"""
CHECK = """
import json, sys
from together.utils.files import check_file
for path in sys.argv[1:]:
    summary = check_file(path)
    print("CHECKED", summary["is_check_passed"], summary.get("num_samples"), summary.get("message"))
"""
TRIPLETS = """
import sys
from datasets import load_dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import TripletLoss
path, model, out = sys.argv[1:]
rows = load_dataset("json", data_files=path, split="train")
model = SentenceTransformer(model)
args = SentenceTransformerTrainingArguments(output_dir=out, max_steps=2, save_strategy="no", report_to="none")
print("TRAINED", SentenceTransformerTrainer(model, args=args, train_dataset=rows, loss=TripletLoss(model)).train())
"""
# What check_file imports. Not by its own list: that asks for versions that some mirrors lag behind, for a network that
# is not used here.
IMPORTED = (
    "aiohttp click<9 eval-type-backport filelock pillow pyarrow pydantic requests rich<15 tabulate tqdm typer<0.20"
)
TOGETHER = (("--no-deps", "together==1.6.0"), tuple(IMPORTED.split()))


@pytest.mark.parametrize("name", ["trl-sft", "trl-dpo", "trl-kto"])
def test_the_recipe_trains_two_steps_with_trl(trl, tiny, made, tmp_path, name):
    out = tmp_path / "tuned"
    recipe = str(made.place / "recipes" / f"{name}.py")
    said = run(trl, recipe, "--model", str(tiny), "--out", str(out), "--lora", "0", "--steps", "2", cwd=tmp_path)
    assert (out / "model.safetensors").stat().st_size > 0
    (loss,) = set(re.findall(r"'train_loss': '?([0-9.e-]+)", said))
    assert float(loss) > 0
    assert "You may want to set the weights" not in said, "KTO's weights are out of the range of Eq. 8"
    assert "not a prefix" not in said


def test_the_recipe_trains_an_adapter_unless_told_otherwise(trl, tiny, made, tmp_path):
    out = tmp_path / "tuned"
    recipe = str(made.place / "recipes" / "trl-sft.py")
    run(trl, recipe, "--model", str(tiny), "--out", str(out), "--steps", "2", cwd=tmp_path)
    assert (out / "adapter_model.safetensors").stat().st_size > 0


def test_with_the_tokenizer_the_recommended_length_is_exact(trl, tiny, tmp_path):
    """The running interpreter has transformers, so the export counts for itself."""
    place = tmp_path / "export"
    wanted = ExportRequest(("trl-sft",), tokenizer=tiny)
    store: Any = Registry()
    made = write_export(lambda _: many(60), wanted, place, store=store, name="x", at=AT)
    tokens = made.manifest["formats"]["trl-sft"]["tokens"]
    code = (
        "import json, sys\nfrom transformers import AutoTokenizer\nt = AutoTokenizer.from_pretrained(sys.argv[1])\n"
        "rows = [json.loads(line) for path in sys.argv[2:] for line in open(path)]\n"
        "texts = [t.apply_chat_template(r['prompt'] + r['completion'], tokenize=False) for r in rows]\n"
        "print('LONGEST', max(len(t(x, add_special_tokens=False)['input_ids']) for x in texts))\n"
    )
    paths = [str(place / "trl-sft" / f"{split}.jsonl") for split in ("train", "validation", "test")]
    said = run(trl, "-c", code, str(tiny), *paths, cwd=tmp_path)
    assert f"LONGEST {tokens['longest']}\n" in said
    assert tokens["counted_by"] == "tokenizer"


def test_datasets_loads_every_file_and_every_configuration_of_the_card(trl, made, tmp_path):
    assert "LOADED ['b', 'l', 'o', 'o']" in run(trl, "-c", LOAD, str(made.place), cwd=tmp_path)
    said = run(trl, "-c", CARD, str(made.place), cwd=tmp_path)
    assert f"CARD ['en'] other {len(FORMATS) + 1}" in said


def test_together_accepts_both_files_of_openais_form(made, tmp_path):
    interpreter = python("together", *TOGETHER)
    paths = [str(made.place / name / "train.jsonl") for name in ("openai-chat", "openai-preference")]
    said = [line for line in run(interpreter, "-c", CHECK, *paths, cwd=tmp_path).splitlines() if "CHECKED" in line]
    rows = [made.manifest["formats"][name]["splits"]["train"] for name in ("openai-chat", "openai-preference")]
    assert said == [f"CHECKED True {count} Checks passed" for count in rows]


def test_together_refuses_a_key_that_does_not_belong(made, tmp_path):
    """The validator itself can say no."""
    interpreter = python("together", *TOGETHER)
    path = tmp_path / "train.jsonl"
    lines = (made.place / "openai-chat" / "train.jsonl").read_text("utf-8").splitlines()
    path.write_text("".join(json.dumps(json.loads(line) | {"id": "1"}) + "\n" for line in lines), "utf-8")
    assert "CHECKED False" in run(interpreter, "-c", CHECK, str(path), cwd=tmp_path)


def test_sentence_transformers_trains_on_the_triplets_as_they_are(trl, made, tmp_path):
    path, stock = made.place / "sentence-transformers" / "train.jsonl", str(model_folder(DEFAULT_MODEL))
    assert "TRAINED TrainOutput(global_step=2" in run(trl, "-c", TRIPLETS, str(path), stock, "out", cwd=tmp_path)


def test_the_retrievers_recipe_writes_a_better_model_or_none(trl, made, tmp_path):
    """A tuned folder is there exactly when the recipe says that it is better on what was held back."""
    recipe, out = str(made.place / "recipes" / "sentence-transformers.py"), tmp_path / "tuned"
    said = run(
        trl,
        "-c",
        "import runpy, sys\nsys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as ended: print('ENDED', ended.code)",
        recipe,
        "--out",
        str(out),
        "--runs",
        "2",
        cwd=tmp_path,
    )
    gain = float(re.findall(r"gain ([+-][0-9.]+)", said)[0])
    assert out.exists() == (gain > 0) == ("ENDED" not in said)
    assert load_configuration(out) != RankingConfiguration() or not out.exists()
