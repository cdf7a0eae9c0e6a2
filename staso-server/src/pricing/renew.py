"""Writes prices.json anew from two lists that others keep: the PyPI packages genai-prices and litellm.

    python3 -m venv /tmp/prices && /tmp/prices/bin/pip install genai-prices
    /tmp/prices/bin/pip install --no-deps litellm
    /tmp/prices/bin/python staso-server/src/pricing/renew.py staso-server/src/pricing/prices.json

Only numbers and names of models are taken, and each list checks the other: a model on which they differ is left out
unless DECISIONS says which of them is right. What was left out, and what only one list has, is printed.
"""

import datetime
import json
import pathlib
import re
import sys
from decimal import Decimal
from importlib.metadata import version
from importlib.util import find_spec

from genai_prices import types
from genai_prices.data import providers

# Ours: the provider in genai-prices, those in litellm, and whether others sell the same weights at other prices.
VENDORS = {
    "openai": ("openai", ["openai", "text-completion-openai"], False),
    "anthropic": ("anthropic", ["anthropic"], False),
    "google": ("google", ["gemini", "vertex_ai-language-models"], False),
    "mistral": ("mistral", ["mistral"], True),
    "cohere": ("cohere", ["cohere_chat", "cohere"], False),
    "deepseek": ("deepseek", ["deepseek"], True),
    "xai": ("x-ai", ["xai"], False),
    "perplexity": ("perplexity", ["perplexity"], False),
    "moonshot": ("moonshotai", ["moonshot"], True),
    "zai": ("zai", ["zai"], True),
    "voyage": ("voyageai", ["voyage"], False),
}

# Those who sell the models of others at prices of their own. Their models carry their name.
HOSTS = {
    "groq": ("groq", ["groq"]),
    "cerebras": ("cerebras", ["cerebras"]),
    "together": ("together", ["together_ai"]),
    "fireworks": ("fireworks", ["fireworks_ai"]),
}

# Where the lists differ: which is right, and why.
DECISIONS = {
    # Embeddings have no output; genai-prices repeats the input's price for it.
    "mistral-embed": "litellm",
    "mistral-embed-2312": "litellm",
    # These names move on to newer models. Both lists have the newer models at litellm's price.
    "mistral-large-latest": "litellm",
    "mistral-medium": "litellm",
    "magistral-medium-latest": "litellm",
    "magistral-small-latest": "litellm",
    # litellm has the price of before July 2024.
    "open-mistral-nemo": "genai-prices",
    # Flat since September 2025 until they were retired; genai-prices has the hours of the day of before.
    "deepseek-chat": "litellm",
    "deepseek-reasoner": "litellm",
}

# litellm drops models that are retired; genai-prices keeps what they cost, for traces from then. Other models that only
# genai-prices has are left out: weights that many host, at a price of one of them.
GENAI_ALONE = re.compile(
    r"(ft:)?gpt-(3|4|5\.)[^/]*|(o1|o3|o4)-[^/]*|chatgpt-4o-latest|codex-mini.*|(text-)?(ada|babbage|curie|davinci).*"
    r"|claude-[^/]*|gemini-(pro|flash|1|2|3)[^/]*|grok-[234][^/]*|grok-latest|command[^/]*|c4ai-aya.*|sonar-.*"
    r"|(mistral|magistral|codestral|devstral|ministral|pixtral|voxtral)-[a-z-]*-\d{4}|open-mi.*"
    r"|(mistral-large|mistral-nemo|magistral-medium|ministral-[38]b|devstral-small)"
    r"|kimi-k2-[^/]*|voyage-[^/]*"
)

# The same of hosts: Groq's retired models, which nobody else calls so.
HOSTED_ALONE = re.compile(r"llama-[34][^/]*-(instant|versatile|specdec|preview)|meta-llama/llama-4-[^/]*|gemma2-9b-it")
NONE = re.compile("(?!)")

# Only litellm has these. Prices of fine-tuned models, and of embeddings and snapshots as their makers list them.
LITELLM_ALONE = re.compile(
    r"ft:(gpt-4\.1|o4-mini|babbage|davinci).*|embed-(english|multilingual)-v3\.0|gpt-5-search-api-.*"
    r"|claude-mythos-[0-9-]*|mistral-small|devstral-medium-latest"
)

# Not counted in tokens alone, priced by what is known in no usage, or no model's name.
PASSED_OVER = re.compile(
    r".*(image|tts|transcribe|whisper|ocr|decider|banana|:thinking|:extended|:free).*|.*(\.ft|ft:gpt-3\.5-turbo)-"
    # Its thinking cost more than the rest of its output, and no usage of then tells them apart.
    r"|gemini-2\.5-flash-preview(-0[45]-\d\d)?"
    r"|claude-4-.*|gpt-oss.*|gemini-1\.5-flash-8b.*"
)

# Both lists have this for Amazon's endpoint of the model, and neither any more for its maker's own.
LONG = dict.fromkeys(
    ["claude-sonnet-4", "claude-sonnet-4-0", "claude-sonnet-4-20250514"],
    {"above": [{"tokens": 200000, "input": 6, "output": 22.5, "cache_read": 0.6, "cache_write": 7.5, "cache_write_1h": 12}]},
)

# Names that people call by, for those of a list.
RENAMED = {"gemini-1.5-flash-8b": "gemini-flash-1.5-8b", "gemini-3-pro": "gemini-3-pro-preview"}

# Retired names that neither list spells out. Patterns of genai-prices tell whose they are.
RETIRED = """
    gemini-1.5-pro-001 gemini-1.5-pro-002 gemini-1.5-flash-001 gemini-1.5-flash-002 gemini-2.0-flash-001
    gemini-2.0-flash-lite-001 claude-2.0 claude-2.1 claude-3-opus-20240229 claude-3-sonnet-20240229
    claude-3-haiku-20240307 claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022 claude-3-5-haiku-20241022
    claude-3-7-sonnet-20250219 claude-sonnet-4-20250514 claude-opus-4-20250514 claude-opus-4-1-20250805
""".split()

MODES = {"chat", "responses", "embedding", "completion", "realtime", None}
SINGLE_NAME = re.compile(r"[a-z0-9][a-z0-9.:@_/-]*")
RATES = {
    "input": ("input_mtok", "input_cost_per_token"),
    "output": ("output_mtok", "output_cost_per_token"),
    "cache_read": ("cache_read_mtok", "cache_read_input_token_cost"),
    "cache_write": ("cache_write_mtok", "cache_creation_input_token_cost"),
    "cache_write_1h": ("cache_write_1h_mtok", "cache_creation_input_token_cost_above_1hr"),
    "audio_input": ("input_audio_mtok", "input_cost_per_audio_token"),
    "audio_output": ("output_audio_mtok", "output_cost_per_audio_token"),
}
TIERS = {
    ("processing", "batch"), ("service_tier", "flex"), ("service_tier", "priority"), ("service_tier", "fast"), ("speed", "fast"),
}
LITELLM_TIERS = {"batch": "_batches", "flex": "_flex", "priority": "_priority"}

today = datetime.date.today()
report = []
known = set(RETIRED)


def main():
    target = pathlib.Path(sys.argv[1])
    litellm = json.loads(litellm_file().read_text())
    sources = {provider.id: provider for provider in providers}
    for name, row in json.loads(target.read_text())["models"].items() if target.exists() else ():
        known.update([name, *row.get("also", [])])
    models = {}
    for vendor, (theirs, in_litellm, open_weights) in VENDORS.items():
        for name, row in rows(sources[theirs], litellm, in_litellm).items():
            # Its maker comes first. Names are compared without their dots.
            if "/" in name or name in models or any(same(name, other) for other in models):
                continue
            models[name] = ({"at": [vendor]} if open_weights else {}) | row
    for host, (theirs, in_litellm) in HOSTS.items():
        for name, row in rows(sources[theirs], litellm, in_litellm, HOSTED_ALONE).items():
            models[f"{host}/{name.removeprefix('accounts/fireworks/models/')}"] = row
    models |= {name: models[listed] for name, listed in RENAMED.items()}
    models |= bedrock(sources["aws"], litellm, models)
    head = {
        "as_of": today.isoformat(),
        "unit": "US dollars per million tokens",
        "note": NOTE,
        "checked_against": {name: version(name) for name in ["genai-prices", "litellm"]},
    }
    target.write_text(document(head, merged(models)))
    print(*report, sep="\n")


def same(name, other):
    return name != other and name == other.replace(".", "-")


NOTE = (
    "List prices as known on the date; they change, and contracts have others. Name the prices that hold for you in a "
    "file of this form and pass it with --prices; its models take the place of those here. `above` holds for the whole "
    "call when its input is longer than `tokens`; `tiers` for calls of that service tier; `also` are other names; `at` "
    "says who sells it at this price, where others do not. Written by renew.py."
)


def litellm_file():
    folder = pathlib.Path(find_spec("litellm").submodule_search_locations[0])
    return folder / "model_prices_and_context_window_backup.json"


def rows(source, litellm, in_litellm, alone=None):
    """The rows of one seller by name; `alone`: those that are taken where only genai-prices has them."""
    theirs = {}
    for key, entry in litellm.items():
        if entry.get("litellm_provider") in in_litellm and entry.get("mode") in MODES:
            prefixes = "|".join([*in_litellm, "cohere_chat", "vertex_ai", "voyage"])
            theirs.setdefault(re.sub(f"^({prefixes})/", "", key).lower(), entry)
    names = set(theirs) | {name for model in source.models for name in exact_names(model)}
    # The lists tell by patterns which names a model has; those that the table had keep being looked up.
    names |= {name for name in known if alone is None and "/" not in name}
    found = {}
    for name in sorted(names):
        if not SINGLE_NAME.fullmatch(name) or PASSED_OVER.fullmatch(name):
            continue
        model = next((model for model in source.models if model.match.is_match(name)), None)
        row = check(name, from_genai(model), from_litellm(theirs.get(name)), alone or GENAI_ALONE)
        # What takes audio at an unknown price has no known price.
        if row and (row["input"] or row["output"]) and ("audio" not in name or "audio_input" in row):
            found[name] = LONG.get(name, {}) | row
    return found


def check(name, ours, other, alone):
    if ours and other:
        if all(ours.get(rate, 0) == other.get(rate, 0) for rate in ["input", "output"]):
            return combined(name, ours, other)
        chosen = DECISIONS.get(name)
        report.append(f"differ: {name}: genai-prices {brief(ours)}, litellm {brief(other)}: {chosen or 'left out'}")
        return {"genai-prices": ours, "litellm": other}.get(chosen)
    if not (ours or other):
        return None
    if ours:
        if alone.fullmatch(name):
            return ours
        report.append(f"only genai-prices, left out: {name} {brief(ours)}")
        return None
    if LITELLM_ALONE.fullmatch(name):
        return other
    report.append(f"only litellm, left out: {name} {brief(other)}")
    return None


def combined(name, ours, other):
    """What genai-prices has, with what only litellm has."""
    row = {}
    for key in [*RATES, "above", "tiers"]:
        a, b = ours.get(key), other.get(key)
        if key == "tiers":
            tiers = {tier: (a or {}).get(tier) or (b or {}).get(tier) for tier in sorted({*(a or {}), *(b or {})})}
            for tier in {*(a or {})} & {*(b or {})}:
                if any(a[tier].get(rate) != b[tier].get(rate) for rate in ["input", "output"]):
                    report.append(f"differ: {name} {tier}: genai-prices {brief(a[tier])}, litellm {brief(b[tier])}: left out")
                    del tiers[tier]
            if tiers:
                row[key] = tiers
            continue
        if a is not None and b is not None and a != b:
            report.append(f"differ: {name} {key}: genai-prices {a}, litellm {b}: genai-prices")
        value = a if a is not None else b
        if value is not None:
            row[key] = value
    return row


def exact_names(model):
    names = [model.id]
    clauses = [model.match]
    while clauses:
        clause = clauses.pop()
        if isinstance(clause, types.ClauseEquals):
            names.append(clause.equals)
        elif isinstance(clause, types.ClauseOr):
            clauses += clause.or_
    return {name.lower() for name in names if model.match.is_match(name)}


def from_genai(model):
    if not model:
        return None
    prices = current(model.prices)
    if not prices or prices.input_mtok is None:
        return None
    row = genai_rates(prices)
    tiers = {}
    for variant in model.price_variants or []:
        if not in_force(variant.constraint) or len(variant.when) != 1:
            continue
        (dimension, value), = variant.when.items()
        own = variant.prices
        if (dimension, value) in TIERS:
            if own.input_mtok is not None:
                tiers[value] = genai_rates(own)
                if own.output_mtok is None:
                    tiers[value]["output"] = row["output"]
    if tiers:
        row["tiers"] = tiers
    return row


def current(prices):
    if not isinstance(prices, list):
        return prices
    found = None
    for conditional in prices:
        if conditional.constraint is None or in_force(conditional.constraint):
            found = conditional.prices
    return found


def in_force(constraint):
    return constraint is None or (
        isinstance(constraint, types.StartDateConstraint) and constraint.start_date <= today
    )


def genai_rates(prices):
    values = {rate: getattr(prices, field, None) for rate, (field, _) in RATES.items()}
    starts = sorted(
        {tier.start for value in values.values() if isinstance(value, types.TieredPrices) for tier in value.tiers}
    )

    def at(start):
        rates = {}
        for rate, value in values.items():
            if isinstance(value, types.TieredPrices):
                reached = [tier.price for tier in value.tiers if start is not None and tier.start <= start]
                value = reached[-1] if reached else value.base
            if value is not None:
                rates[rate] = plain(value)
        rates.setdefault("output", 0)
        return rates

    row = at(None)
    if starts:
        row["above"] = [{"tokens": start} | at(start) for start in starts]
    return row


def from_litellm(entry):
    if not entry or "input_cost_per_token" not in entry:
        return None
    reasoning = entry.get("output_cost_per_reasoning_token")
    if "tiered_pricing" in entry or (reasoning and reasoning != entry.get("output_cost_per_token")):
        return None
    row = litellm_rates(entry, "")
    tiers = {tier: litellm_rates(entry, suffix) for tier, suffix in LITELLM_TIERS.items()}
    tiers = {tier: rates for tier, rates in tiers.items() if rates and "output" in rates}
    if tiers:
        row["tiers"] = tiers
    return row


def litellm_rates(entry, suffix):
    base = {rate: entry.get(field + suffix) for rate, (_, field) in RATES.items()}
    if base["input"] is None:
        return None
    row = {rate: per_million(value) for rate, value in base.items() if value is not None}
    if not suffix:
        row.setdefault("output", 0)
    above = {}
    for rate, (_, field) in RATES.items():
        for key, value in entry.items():
            match = re.fullmatch(re.escape(field) + r"_above_(\d+)k_tokens" + suffix, key)
            if match:
                above.setdefault(int(match[1]) * 1000, {})[rate] = per_million(value)
    above = [{"tokens": start} | rates for start, rates in sorted(above.items()) if {"input", "output"} <= set(rates)]
    if above:
        row["above"] = above
    return row


def bedrock(source, litellm, models):
    """The prices of Amazon's endpoints: of a region, where they are not those of the maker, and of what others made."""
    found = {}
    for key, entry in sorted(litellm.items()):
        match = re.fullmatch(r"(?:(us|global)\.)?(?!apac|global)([a-z0-9]{4,})\.(.+?)(?:-v\d+)?(?::\d+)?", key)
        if entry.get("litellm_provider") not in ("bedrock", "bedrock_converse") or not match:
            continue
        region, maker, name = match.groups()
        # Without a region, genai-prices takes a regional endpoint and litellm the worldwide one; the latter is in `models`.
        if maker == "anthropic" and region != "us" or maker != "anthropic" and region:
            continue
        model = next((model for model in source.models if model.match.is_match(key)), None)
        row = check(f"bedrock {key}", from_genai(model), from_litellm(entry), NONE)
        if not row or PASSED_OVER.fullmatch(name):
            continue
        if maker == "amazon":
            found[name] = row
        elif maker != "anthropic":
            found[f"bedrock/{maker}.{name}"] = row
        elif models.get(name, {}).get("input") not in (None, row["input"]):
            found[f"regional/{name}"] = row
    return found


def merged(models):
    """One row for all names that cost the same and begin alike."""
    result = {}
    by_row = {}
    for name in sorted(models, key=lambda name: (len(name), name)):
        row = models[name]
        key = json.dumps(row, sort_keys=True)
        family = next((first for first in by_row.get(key, []) if name.startswith(first)), None)
        if family:
            result[family].setdefault("also", []).append(name)
        else:
            by_row.setdefault(key, []).append(name)
            result[name] = dict(row)
    return dict(sorted(result.items()))


def document(head, models):
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    rows = [f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in models.items()]
    return "{\n" + ",\n".join(lines) + ',\n  "models": {\n' + ",\n".join(rows) + "\n  }\n}\n"


def per_million(value):
    return plain(Decimal(str(value)) * 1_000_000)


def plain(value):
    value = round(float(value), 7)
    return int(value) if value == int(value) else value


def brief(row):
    return f"{row.get('input')}/{row.get('output')}"


main()
