"""A certificate authority of a test's own, and the certificates that it issues, through `openssl`."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

REQUEST = """\
[req]
distinguished_name = nobody
prompt = no
x509_extensions = authority
[nobody]
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True)
class Certificate:
    """Two PEM files: what is shown, and the key to it."""

    shown: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal."""
        return sha256(ssl.PEM_cert_to_DER_cert(self.shown.read_text(encoding="ascii"))).hexdigest()


def authority(folder: Path, name: str = "Tests of Footnote") -> Certificate:
    """A new authority whose files lie in the folder, which must exist."""
    if shutil.which("openssl") is None:
        pytest.skip("certificates for tests are made with openssl: install it (apt-get install openssl)")
    made = Certificate(folder / "ca.pem", folder / "ca.key")
    _openssl(folder, "req", "-x509", *_new_key(folder, name, made.key), "-days", "3", "-out", made.shown)
    return made


def issue(by: Certificate, folder: Path, name: str) -> Certificate:
    """A certificate for a server, or a client, on 127.0.0.1 and localhost; its files lie in the folder."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    asked = folder / f"{name}.csr"
    _openssl(folder, "req", *_new_key(folder, name, made.key), "-out", asked)
    signing: list[str | Path] = ["-CA", by.shown, "-CAkey", by.key, "-CAcreateserial", "-days", "2", "-out", made.shown]
    extensions: list[str | Path] = ["-extfile", _configuration(folder, name), "-extensions", "server"]
    _openssl(folder, "x509", "-req", "-in", asked, *signing, *extensions)
    return made


def _new_key(folder: Path, name: str, key: Path) -> list[str | Path]:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    return [*curve, "-config", _configuration(folder, name), "-keyout", key]


def _configuration(folder: Path, name: str) -> Path:
    path = folder / f"{name}.cnf"
    path.write_text(REQUEST.format(name=name), encoding="ascii")
    return path


def _openssl(folder: Path, *arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
