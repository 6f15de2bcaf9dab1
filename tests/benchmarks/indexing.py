"""Seconds to index a folder of Markdown: `footnote sync` against the recipe that many assemble, in the same run.

The recipe: LangChain's RecursiveCharacterTextSplitter (1000/200), the same embedding model through
HuggingFaceEmbeddings, FAISS, and BM25Retriever. Each runs in a process of its own, model loading included. Then
`footnote sync` runs again, when nothing has changed, against its own first run.

    pip install langchain-text-splitters langchain-community langchain-huggingface faiss-cpu rank-bm25
    python -m tests.benchmarks.indexing FOLDER
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPE = """
import sys
from pathlib import Path
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
from retrieval.embedding.model_files import DEFAULT_MODEL, model_folder

texts = [path.read_text(encoding="utf-8") for path in sorted(Path(sys.argv[1]).rglob("*.md"))]
chunks = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).create_documents(texts)
embeddings = HuggingFaceEmbeddings(model_name=str(model_folder(DEFAULT_MODEL)), model_kwargs={"device": "cpu"})
FAISS.from_documents(chunks, embeddings).save_local(sys.argv[2])
BM25Retriever.from_documents(chunks)
print(len(chunks), "chunks", file=sys.stderr)
"""


def seconds(*command: str) -> float:
    """How long a command takes; its failure ends the benchmark."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main(folder: str) -> None:
    """Print all of them and the ratios."""
    with tempfile.TemporaryDirectory() as place:
        command = (sys.executable, "-m", "bot", "--home", f"{place}/home", "sync", str(Path(folder)))
        ours, again = seconds(*command), seconds(*command)
        recipe = seconds(sys.executable, "-W", "ignore", "-c", RECIPE, folder, f"{place}/faiss")
    print(f"footnote sync {ours:.1f} s, recipe {recipe:.1f} s, ratio {ours / recipe:.2f}")
    print(f"again with nothing to do {again:.2f} s, ratio to the first time {again / ours:.3f}")


if __name__ == "__main__":
    main(sys.argv[1])
