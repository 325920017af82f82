"""Installation of keras_ab."""

import pathlib
import re

import setuptools

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.*?)"', (ROOT / "keras_ab/__init__.py").read_text()
).group(1)

# The one place that says where the project lives; the guides' badges lead
# there, and `python -m guides.build` makes them anew.
URL = "https://github.com/keras-ab/keras_ab"

# The CPU build is a third of the size, where there is one.
INTEL_LINUX = 'sys_platform == "linux" and platform_machine == "x86_64"'
OTHER = 'sys_platform != "linux" or platform_machine != "x86_64"'
CPU = [f"tensorflow-cpu>=2.18; {INTEL_LINUX}", f"tensorflow>=2.18; {OTHER}"]
# Images that TensorFlow does not decode: WebP, TIFF, some CMYK.
PILLOW = ["pillow>=10"]
PLOT = ["matplotlib>=3.8"]
# COCO's evaluation of boxes, BLEU, and what commands show.
PROBES = [
    "scikit-learn>=1.4",
    "pycocotools>=2.0.8",
    "sacrebleu>=2.4",
    "rich>=13",
]
SAFETENSORS = ["safetensors>=0.5"]
HUB = [
    "keras-hub>=0.26",
    "kagglehub>=0.3",
    "huggingface_hub>=0.30",
    *SAFETENSORS,
]
# TFDS imports importlib_resources without asking for it.
TFDS = ["tensorflow-datasets>=4.9.10", "importlib_resources>=6"]
PARQUET = ["pyarrow>=17"]
# The page of keras_ab.explore.
EXPLORE = ["dash>=4", *PILLOW]
DEMO = [*PLOT, *PROBES]
# What turns guides into notebooks and runs them.
GUIDES = ["jupytext>=1.16", "nbclient>=0.10", "ipykernel>=6"]
TEST = [
    *(*DEMO, *TFDS, *PARQUET, *SAFETENSORS, *PILLOW, *GUIDES, *EXPLORE),
    # Drives a browser, where there is one.
    "selenium>=4.20",
    # Keras' callback writes its files by it.
    "tensorboard>=2.18",
    *("pytest>=8", "ruff>=0.9", "mypy>=2"),
]

setuptools.setup(
    name="keras_ab",
    version=VERSION,
    description="Annotation bootstrapping: visual pre-training on unlabelled "
    "images as reinforcement learning, in Keras 3",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    url=URL,
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=setuptools.find_packages(include=["keras_ab", "keras_ab.*"]),
    package_data={
        "keras_ab": ["py.typed", "explore/assets/*", "presets/trained/**/*"]
    },
    install_requires=["keras>=3.13,<4", "numpy>=1.26"],
    extras_require={
        # One of these as Keras' backend.
        "jax": ["jax>=0.6"],
        "tensorflow": ["tensorflow>=2.18"],
        "torch": ["torch>=2.6"],
        # tf.data, which feeds every backend.
        "data": ["tensorflow>=2.18", *PILLOW],
        # TensorFlow for machines without a GPU.
        "cpu": CPU,
        # Presets on hubs, and weights of other libraries.
        "hub": HUB,
        "safetensors": SAFETENSORS,
        # In maintenance: see ARCHITECTURE.md.
        "cv": ["keras-cv>=0.9"],
        # What `export` writes with, and the runtimes that open it.
        "export": [
            "onnx>=1.18",
            "onnxruntime>=1.22",
            "tf2onnx>=1.16",
            "ai-edge-litert>=2",
        ],
        "tfds": TFDS,
        "parquet": PARQUET,
        "plot": PLOT,
        "probes": PROBES,
        "explore": EXPLORE,
        "demo": DEMO,
        "guides": [*DEMO, *PILLOW, *GUIDES],
        "docs": ["mkdocs>=1.6", "mkdocstrings[python]>=1", "ruff>=0.9"],
        "test": TEST,
        "dev": [*TEST, "pre-commit>=4"],
    },
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
