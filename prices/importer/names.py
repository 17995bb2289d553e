"""Names: of providers in Farthing's words, of models without a table's prefixes, of families and encodings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import tomllib

from .model import PLAIN, Terms

SIZE = re.compile(r"(\d+)-x-(\d+)|max-x-max")
QUALITIES = {"low", "medium", "high", "xhigh", "max", "auto", "standard", "hd", "max-steps"}
STEPS = re.compile(r"\d+-steps")
REGION = re.compile(r"(us|eu|ap|apac|ca|sa|me|af|il|us-gov)(-[a-z]+-\d)?")
# How a request is sent, not what is bought.
ROUTES = {"invoke", "converse", "bedrock", "global", "global-standard", "claude_platform"}
COMMITMENT = re.compile(r"\d+-month-commitment")

ISO = re.compile(r"(.+)-(20\d\d)-(\d\d)-(\d\d)")
COMPACT = re.compile(r"(.+)[-@](20\d\d)(\d\d)(\d\d)")
MMDD = re.compile(r"(.+)-(\d\d)(\d\d)")
PREVIEW = re.compile(r"(^|[-_./:])(preview|exp|experimental|beta|alpha)([-_./:]|$)")
FORMS = {"-YYYY-MM-DD": ISO, "-YYYYMMDD": COMPACT, "-MMDD": MMDD, "-YYMM": MMDD}


@dataclass
class Provider:
    """A provider as prices/importer/providers.toml describes it, or as its name alone tells."""

    name: str
    litellm: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    genai: list[str] = field(default_factory=list)
    source: str = ""
    tokens_per_second: int = 1_000
    tier_names: dict[str, str] = field(default_factory=dict)
    # Models of which every request is billed by its search context, not every search.
    search_per_request: str = ""
    # Forms of dates that may follow every name, where a snapshot has always cost what its name does.
    dated: list[str] = field(default_factory=list)
    # genai-prices has several providers of one company as one: names that are this one's, and whose the others are.
    names: str = ""
    others: str = ""
    # Its models are also sold as this provider, whose regions cost more; hosts of both are of this one.
    regions_of: str = ""


class Providers:
    def __init__(self, document: dict[str, Any]) -> None:
        self.known = {entry["name"]: Provider(**entry) for entry in document["provider"]}
        self.of_litellm = {word: p for p in self.known.values() for word in p.litellm}
        self.of_genai = {word: p for p in self.known.values() for word in p.genai}

    @classmethod
    def read(cls, file: Path) -> Providers:
        return cls(tomllib.loads(file.read_text()))

    def litellm(self, word: str) -> Provider:
        known = self.of_litellm.get(word)
        if known is None and word.startswith("vertex_ai"):
            known = self.of_litellm.get("vertex_ai")
        return known or self.named(word.lower(), litellm=[word], prefixes=[word + "/"])

    def genai(self, word: str, name: str) -> Provider:
        known = self.of_genai.get(word)
        if known and known.names and not re.match(known.names, name):
            return self.known[known.others]
        return known or self.named(word.lower().replace("-", "_"), genai=[word])

    def named(self, name: str, **words: list[str]) -> Provider:
        known = self.known.setdefault(name, Provider(name))
        for key, values in words.items():
            listed = getattr(known, key)
            listed += [value for value in values if value not in listed]
        return known


@dataclass(frozen=True)
class Split:
    """A key of litellm: the model's own name, and terms that are written into the key."""

    name: str
    terms: Terms = PLAIN
    committed: bool = False


def split_key(key: str, provider: Provider, words: str) -> Split:
    """`azure/eu/gpt-4o` is gpt-4o in eu, `high/1024-x-1536/gpt-image-1` a size and a quality."""
    for prefix in [*provider.prefixes, words + "/"]:
        if key.startswith(prefix):
            key = key.removeprefix(prefix)
            break
    size = quality = region = ""
    committed = False
    segments = key.split("/")
    while len(segments) > 1:
        head, *rest = segments
        found = SIZE.fullmatch(head)
        if found:
            size = "max" if found[1] is None else f"{found[1]}x{found[2]}"
        elif head in QUALITIES and SIZE.fullmatch(rest[0]):
            quality = head
        elif STEPS.fullmatch(head) or (head == "max-steps" and size):
            quality = head
        elif COMMITMENT.fullmatch(head) or head == "*":
            committed = True
        elif provider.name in ("bedrock", "bedrock_mantle", "azure") and REGION.fullmatch(head):
            region = head
        elif provider.name in ("bedrock", "bedrock_mantle", "azure") and head in ROUTES:
            pass
        else:
            break
        segments = rest
    return Split("/".join(segments), Terms(region=region, size=size, quality=quality), committed)


def is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def undated(name: str) -> dict[str, str]:
    """The name without its date, by the form that the date has, as names.cpp reads it."""
    if found := ISO.fullmatch(name):
        return {"-YYYY-MM-DD": found[1]} if is_day(*map(int, found.groups()[1:])) else {}
    found = COMPACT.fullmatch(name)
    if found and name[-9] == "-" and is_day(*map(int, found.groups()[1:])):
        return {"-YYYYMMDD": found[1]}
    forms = {}
    if found := MMDD.fullmatch(name):
        first, second = int(found[2]), int(found[3])
        if is_day(2024, first, second):
            forms["-MMDD"] = found[1]
        if first >= 23 and 1 <= second <= 12:
            forms["-YYMM"] = found[1]
    return forms


def is_preview(name: str) -> bool:
    return PREVIEW.search(name.lower()) is not None


# Words that say what a model is called; then the version, which the family keeps.
CLAUDE = re.compile(
    r"claude-(?:(\d)[-.]?(\d)?-)?(instant|haiku|sonnet|opus|fable|mythos)?-?v?(\d)?[-.:]?(\d)?(?!\d)"
)
SIZED = re.compile(r"\d+(\.\d+)?[bmk]|\d+x\d+b|a\d+b|e\d+b|\d{4,}")
VERSION = re.compile(r"\d")


# The end of a path that says which way a model is used, not which it is.
KIND = re.compile(
    r"v?[\d.]+(-ultra)?|dev|schnell|fast|pro|ultra|edit|preview|query|community|.*-to-(image|video)"
)


def base_name(name: str) -> str:
    """Lower case, without who made it, where it runs and when it is from."""
    segments = name.lower().split("/")
    while len(segments) > 1 and KIND.fullmatch(segments[-1]):
        segments.pop()
    base = segments[-1].removeprefix("ft:").removeprefix("databricks-")
    base = re.sub(r"^(us|eu|apac|au|jp|ca|global|us-gov)\.", "", base)
    base = re.sub(
        r"^(anthropic|meta|amazon|mistral|cohere|ai21|deepseek|qwen|openai|moonshotai|minimax|zai|nvidia|google|stability)\.",
        "",
        base,
    )
    base = re.sub(r"(-v\d+)?:\d+.*$|@.*$|:.*$", "", base)
    for form in (ISO, COMPACT):
        if found := form.fullmatch(base):
            base = found[1]
    return base


def family_of(name: str) -> str:
    base = base_name(name)
    if found := CLAUDE.match(base):
        early, minor, word, major, point = found.groups()
        numbers = [n for n in ((early, minor) if early else (major, point)) if n]
        words = ["claude"] if early or not word else ["claude", word]
        return "-".join([*words, ".".join(numbers)] if numbers else words)
    tokens = re.split(r"[-_ ]", base)
    kept: list[str] = []
    for token in tokens:
        if SIZED.fullmatch(token) and kept:
            break
        kept.append(token)
        if VERSION.search(token):
            break
    else:
        kept = tokens[:2]
    return "-".join(kept) or base


O200K = re.compile(r"(gpt-(4o|4\.1|4\.5|5|6)|chatgpt-4o|o[134](-|$))")
CL100K = re.compile(r"(gpt-4(-|$)|gpt-3\.5|gpt-35|text-embedding-3-|text-embedding-ada-002)")
NOT_TEXT = re.compile(r"image|realtime|live|transcribe|tts|whisper|audio")


def encoding_of(name: str, modality: str) -> str:
    """Only where it is certain: OpenAI's own names."""
    base = base_name(name)
    if modality not in ("text", "embedding") or NOT_TEXT.search(base):
        return ""
    if re.match(r"gpt-oss-\d+b", base):
        return "o200k_harmony"
    if O200K.match(base):
        return "o200k_base"
    return "cl100k_base" if CL100K.match(base) else ""


OVERHEADS = (
    (r"gpt-.*search-preview", "openai-search"),
    (r"gpt-.*search-api", "openai-search-input"),
    (r"(?!sonar).*deep-research", "deep-research"),
    (r"grok-.*multi-agent", "grok-multi-agent"),
    (r"gpt-oss", "harmony"),
    (r"text-embedding-(3|ada)", "openai-embedding"),
    (r"(gpt-[56]|o[134](-|$))", "openai-reasoning"),
    (r"(gpt-[34]|gpt-35|chatgpt)", "openai-chat"),
    (r"claude", "claude"),
    (r"grok-4(-0709)?$", "grok-4"),
    (r"grok", "grok"),
    (r"(meta-)?llama-?3", "llama-3"),
    (r"(mistral|mixtral|ministral|magistral|codestral|devstral|pixtral)", "mistral"),
    (r"deepseek", "deepseek"),
    (r"kimi", "kimi"),
    (r"qw(en|q)", "qwen"),
    (r"gemini", "gemini"),
    (r"sonar-deep-research", "perplexity-research"),
    (r"sonar", "perplexity"),
)


def overhead_of(name: str, modality: str) -> str:
    if modality not in ("text", "embedding"):
        return ""
    base = base_name(name)
    return next((profile for pattern, profile in OVERHEADS if re.match(pattern, base)), "")
