"""The importer of the price book (prices/importer/): how it reads its tables, and what its lints leave out."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

tomllib = pytest.importorskip("tomllib")

from prices.importer import litellm_rows, names  # noqa: E402
from prices.importer.model import Draft, Price  # noqa: E402
from tests.prices.small_tables import (  # noqa: E402
    PLAIN,
    VERSIONS,
    Number,
    costs,
    dropped,
    genai,
    price,
    run,
    sells,
    text,
    why_not,
)

# Reading


def test_prices_are_what_the_table_says_to_the_last_digit() -> None:
    importer = run({"new/m": text("new", "1.5e-07", "0.00000123456789")})
    assert price(importer, "new", "m", "input_tokens") == "0.15 per million"
    assert price(importer, "new", "m", "output_tokens") == "1.23456789 per million"


def test_providers_have_farthings_names_and_models_no_prefix() -> None:
    importer = run(
        {
            "together_ai/org/m": text("together_ai"),
            "fireworks_ai/accounts/x": text("fireworks_ai"),
            "vertex_ai/v": text("vertex_ai-anthropic_models"),
            "bedrock/invoke/n.m-v1:0": text("bedrock"),
            "SomeOne/m": text("SomeOne"),
            "bare": text("openai"),
        }
    )
    assert set(importer.models) == {
        ("together", "org/m"),
        ("fireworks", "accounts/x"),
        ("vertex", "v"),
        ("bedrock", "n.m-v1:0"),
        ("someone", "m"),
        ("openai", "bare"),
    }


def test_tiers_contexts_and_caches() -> None:
    importer = run(
        {
            "new/m": text(
                "new",
                cache_read_input_token_cost="1e-07",
                cache_creation_input_token_cost="1.25e-06",
                cache_creation_input_token_cost_above_1hr="2e-06",
                input_cost_per_token_batches="5e-07",
                output_cost_per_token_batches="2e-06",
                input_cost_per_token_above_200k_tokens="2e-06",
                output_cost_per_token_above_200k_tokens="6e-06",
                input_cost_per_token_above_200k_tokens_batches="1e-06",
            )
        }
    )
    assert price(importer, "new", "m", "cache_write_1h_tokens") == "2.00 per million"
    assert price(importer, "new", "m", "output_tokens", tier="batch") == "2.00 per million"
    assert price(importer, "new", "m", "output_tokens", context_above=200_000) == "6.00 per million"
    # The table does not have it: the tier's share of the long context's price.
    assert (
        price(importer, "new", "m", "output_tokens", tier="batch", context_above=200_000)
        == "3.00 per million"
    )
    # Nor a cache in batches, and twice a whole input would be four times theirs.
    assert price(importer, "new", "m", "cache_write_1h_tokens", tier="batch") == "1.00 per million"
    assert {what for _, _, what in importer.report.filled} >= {"batch above 200000 output_tokens"}


def test_the_fast_mode_is_a_tier_in_both_tables() -> None:
    """litellm has it as a multiplier, genai-prices as prices of their own."""
    importer = run({"m": text("anthropic", provider_specific_entry={"us": 1.1, "fast": 2})})
    assert price(importer, "anthropic", "m", "output_tokens", tier="fast") == "8.00 per million"
    assert price(importer, "anthropic", "m", "output_tokens") == "4.00 per million"
    fast = SimpleNamespace(when={"speed": "fast"}, prices=costs(output_mtok="9"), constraint=None)
    sold = sells("m", costs(input_mtok="1", output_mtok="4"), price_variants=[fast])
    importer = run({}, genai("anthropic", sold))
    assert price(importer, "anthropic", "m", "output_tokens", tier="fast") == "9.00 per million"
    assert "speed" not in dropped(importer)


def test_what_a_region_costs_more() -> None:
    """Google's surcharge is on the key of Vertex AI, of which litellm has two; hosts of both are provider gemini's."""
    importer = run(
        {
            "claude": text("anthropic", provider_specific_entry={"us": 1.1}),
            "gemini-1": text("vertex_ai-language-models"),
            "vertex_ai/gemini-1": text("vertex_ai", regional_endpoint_uplift_multiplier=1.1),
            "gemini/gemini-1": text("gemini"),
            "gemini/gemini-0": text("gemini"),
        }
    )
    regions = {key: draft.regions for key, draft in importer.models.items() if draft.regions}
    assert regions == {
        ("anthropic", "claude"): {"us": "1.1"},
        ("vertex", "gemini-1"): {"regional": "1.1"},
        ("gemini", "gemini-1"): {"regional": "1.1"},
    }


def test_images_by_size_and_quality_and_the_dearest_where_they_are_not_known() -> None:
    image = {"litellm_provider": "openai", "mode": "image_generation"}
    importer = run(
        {
            "low/1024-x-1024/paint": {**image, "input_cost_per_image": Number("0.01")},
            "hd/1024-x-1792/paint": {**image, "input_cost_per_pixel": Number("6.539e-08")},
            "coins": {
                **image,
                "output_cost_per_image": Number("0.04"),
                "output_cost_per_image_token": Number("3e-05"),
            },
        }
    )
    assert (
        price(importer, "openai", "paint", "images", size="1024x1024", quality="low") == "0.01 each"
    )
    assert (
        price(importer, "openai", "paint", "images", size="1024x1792", quality="hd") == "0.12 each"
    )
    assert price(importer, "openai", "paint", "images") == "0.12 each"
    assert price(importer, "openai", "coins", "output_image_tokens") == "30.00 per million"
    assert price(importer, "openai", "coins", "images") == "none", "the same image twice"


@pytest.mark.parametrize(
    ("second", "published"),
    [
        ("0.0001", Price(Decimal("0.0001"), "second")),
        ("7.167e-05", Price(Decimal("0.0043"), "minute")),
        ("1.111e-05", Price(Decimal("0.04"), "hour")),
        ("0.000283333333333", Price(Decimal("0.017"), "minute")),
        ("0.00012345", Price(Decimal("0.00012345"), "second")),
    ],
)
def test_a_rounded_quotient_is_undone(second: str, published: Price) -> None:
    assert litellm_rows.as_published(Decimal(second)) == published


def test_video_sound_characters_searches_and_calls() -> None:
    importer = run(
        {
            "new/v": {
                "litellm_provider": "new",
                "mode": "video_generation",
                "output_cost_per_second": Number("0.1"),
                "output_cost_per_second_1080p": Number("0.3"),
            },
            "new/s": {
                "litellm_provider": "new",
                "mode": "audio_speech",
                "input_cost_per_character": Number("1.5e-05"),
            },
            "new/r": {
                "litellm_provider": "new",
                "mode": "rerank",
                "input_cost_per_query": Number("0.002"),
            },
            "new/t": text(
                "new",
                search_context_cost_per_query={
                    "search_context_size_low": Number("0.005"),
                    "search_context_size_high": Number("0.012"),
                },
            ),
        }
    )
    assert price(importer, "new", "v", "video_ms", resolution="1080p") == "0.30 per second"
    assert price(importer, "new", "v", "video_ms", resolution="720p") == "0.10 per second"
    assert price(importer, "new", "v", "video_ms") == "0.30 per second", (
        "an unknown resolution is the dearest"
    )
    assert price(importer, "new", "s", "characters") == "15.00 per million"
    assert price(importer, "new", "r", "requests") == "2.00 per thousand"
    assert price(importer, "new", "t", "web_searches", search_context="low") == "5.00 per thousand"
    assert price(importer, "new", "t", "web_searches") == "12.00 per thousand"


def test_what_no_meter_counts_is_told() -> None:
    importer = run(
        {"new/o": {"litellm_provider": "new", "mode": "ocr", "ocr_cost_per_page": Number("0.001")}}
    )
    assert "no price that a meter counts" in why_not(importer, "o")
    assert importer.report.not_counted["litellm ocr_cost_per_page"] == 1


# Lints


def test_known_bad_rows_of_litellm_are_caught() -> None:
    """As they were: a hundred thousand times too high, a thousand times, a write for an hour at 24 times input."""
    importer = run(
        {
            "wandb/openai/gpt-oss-120b": text("wandb", "0.015", "0.06"),
            "wandb/deepseek-ai/DeepSeek-V3.1": text("wandb", "0.055", "0.165"),
            "azure_ai/jais-30b-chat": text("azure_ai", "0.0032", "0.00971"),
            "claude-3-haiku-20240307": text(
                "anthropic",
                "2.5e-07",
                "1.25e-06",
                cache_creation_input_token_cost="3e-07",
                cache_creation_input_token_cost_above_1hr="6e-06",
            ),
        }
    )
    for name in ("openai/gpt-oss-120b", "deepseek-ai/DeepSeek-V3.1", "jais-30b-chat"):
        assert "[absurd]" in why_not(importer, name)
    assert "[write_at_most_3_inputs]" in why_not(importer, "claude-3-haiku-20240307")


def test_a_table_that_fails_a_lint_loses_to_the_other() -> None:
    importer = run(
        {
            "claude-x": text(
                "anthropic", "2.5e-07", cache_creation_input_token_cost_above_1hr="6e-06"
            )
        },
        genai(
            "anthropic",
            sells("claude-x", costs(input_mtok="0.25", output_mtok="4", cache_write_1h_mtok="0.5")),
        ),
    )
    assert price(importer, "anthropic", "claude-x", "cache_write_1h_tokens") == "0.50 per million"
    [told] = importer.report.disagreements
    assert (told.chosen, told.why) == ("genai-prices", "the other's fails a lint")


@pytest.mark.parametrize(
    ("more", "lint"),
    [
        ({"output_cost_per_token": "-1"}, "[negative]"),
        ({"output_cost_per_token": "0.0"}, "[zero]"),
        ({"output_cost_per_token": "4.0000000000001e-06"}, "[digits]"),
        ({"output_cost_per_token": "1.1e-03"}, "[absurd]"),
        ({"output_cost_per_token": None}, "[missing]"),
        ({"cache_creation_input_token_cost": "3.1e-06"}, "[write_at_most_3_inputs]"),
        ({"output_cost_per_token_priority": "4.1e-05"}, "[tier_within_10]"),
    ],
)
def test_what_cannot_be_spared_takes_the_model_with_it(more: dict[str, Any], lint: str) -> None:
    assert lint in why_not(
        run(
            {"new/m": text("new", **more)}
            if "output_cost_per_token" not in more
            else {"new/m": {**text("new"), **{k: Number(v) if v else v for k, v in more.items()}}}
        ),
        "m",
    )


@pytest.mark.parametrize(
    ("more", "lint", "gone"),
    [
        (
            {"cache_read_input_token_cost": "1.1e-06"},
            "[read_at_most_input]",
            ("cache_read_tokens", {}),
        ),
        (
            {"output_cost_per_token_batches": "4.1e-06"},
            "[tier_order]",
            ("output_tokens", {"tier": "batch"}),
        ),
        (
            {"output_cost_per_token_flex": "1e-07"},
            "[tier_within_10]",
            ("output_tokens", {"tier": "flex"}),
        ),
        (
            {"output_cost_per_token_priority": "3e-06"},
            "[tier_order]",
            ("output_tokens", {"tier": "priority"}),
        ),
        (
            {"output_cost_per_token_above_200k_tokens": "3e-06"},
            "[context_order]",
            ("output_tokens", {"context_above": 200_000}),
        ),
        (
            {
                "cache_creation_input_token_cost": "2e-06",
                "cache_creation_input_token_cost_above_1hr": "1e-06",
            },
            "[write_at_most_1h]",
            ("cache_write_1h_tokens", {}),
        ),
    ],
)
def test_what_a_dearer_price_stands_in_for_goes_alone(
    more: dict[str, Any], lint: str, gone: tuple[str, dict[str, Any]]
) -> None:
    importer = run({"new/m": text("new", **more)})
    assert lint in dropped(importer)
    assert price(importer, "new", "m", gone[0], **gone[1]) == "none"
    assert price(importer, "new", "m", "output_tokens") == "4.00 per million"


def test_a_zero_is_a_price_only_where_somebody_says_free() -> None:
    table = {
        "new/unknown": text("new", "0.0", "0.0"),
        "new/gift:free": text("new", "0.0", "0.0"),
        "new/said": text("new", "0.0", "0.0"),
        "new/noted": {
            **text("new", "0.0", "0.0"),
            "metadata": {"notes": "It is free and needs no key."},
        },
    }
    choices = {"free": [{"provider": "new", "model": "said", "why": "its page"}]}
    importer = run(table, choices=choices)
    assert "[zero]" in why_not(importer, "unknown") or "no price" in why_not(importer, "unknown")
    for name in ("gift:free", "said", "noted"):
        assert importer.models["new", name].free
        assert price(importer, "new", name, "input_tokens") == "0.00 per million"


def test_a_dated_name_is_the_same_model_or_a_finding() -> None:
    table = {
        "new/m": text("new"),
        "new/m-2026-01-31": text("new"),
        "new/m-2026-02-28": text("new", made="5e-06"),
        "new/m-2026-02-30": text("new", made="6e-06"),
    }
    importer = run(table)
    assert importer.models["new", "m"].aliases == {"m-2026-01-31"}
    assert "[dated_equals_undated]" in why_not(importer, "m-2026-02-28")
    assert ("new", "m-2026-02-30") in importer.models, "no such day: it is a name like any other"
    accept = {
        "provider": "new",
        "model": "m-2026-02-28",
        "lint": "dated_equals_undated",
        "why": "its own price",
    }
    importer = run(table, choices={"accept": [accept]})
    assert importer.models["new", "m-2026-02-28"].waive == {"dated_equals_undated": "its own price"}


def test_a_dated_name_is_not_priced_by_likeness() -> None:
    """genai-prices takes every name with gpt-4o in it for gpt-4o."""
    like = sells("gpt-4o", costs(input_mtok="2.5", output_mtok="10"))
    like.match = SimpleNamespace(contains="gpt-4o", is_match=lambda name: "gpt-4o" in name)
    importer = run({"gpt-4o-2024-05-13": text("openai", "5e-06", "1.5e-05")}, genai("openai", like))
    assert not importer.report.disagreements
    assert "[dated_equals_undated]" in why_not(importer, "gpt-4o-2024-05-13")
    assert importer.models["openai", "gpt-4o"].aliases == set()


def test_a_change_of_more_than_5_times_waits_for_a_person() -> None:
    first = run({"new/m": text("new", "1e-06")})
    before = {
        (("new", model["name"])): model
        for model in tomllib.loads(first.files(VERSIONS)["imported/new.toml"])["model"]
    }
    table = {"new/m": text("new", "1.9e-07")}
    second = run(table, before=before)
    assert price(second, "new", "m", "input_tokens") == "1.00 per million"
    assert second.report.kept == {
        ("new", "m", "input_tokens standard: 1.00 per million before, 0.19 per million now")
    }
    # Until somebody decides it waits again, however often the importer runs.
    assert second.files(VERSIONS)["imported/new.toml"] == first.files(VERSIONS)["imported/new.toml"]
    accept = {"provider": "new", "model": "m", "lint": "change_over_5", "why": "announced"}
    third = run(table, before=before, choices={"accept": [accept]})
    assert price(third, "new", "m", "input_tokens") == "0.19 per million"
    assert (
        price(run({"new/m": text("new", "2e-07")}, before=before), "new", "m", "input_tokens")
        == "0.20 per million"
    )


# Names


@pytest.mark.parametrize(
    ("name", "family", "encoding"),
    [
        ("gpt-5-mini", "gpt-5", "o200k_base"),
        ("openai/gpt-4o-2024-08-06", "gpt-4o", "o200k_base"),
        ("gpt-4-turbo", "gpt-4", "cl100k_base"),
        ("gpt-4o-audio-preview", "gpt-4o", ""),
        ("openai/gpt-oss-120b", "gpt-oss", "o200k_harmony"),
        ("us.anthropic.claude-3-5-haiku-20241022-v1:0", "claude-3.5", ""),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4.5", ""),
        ("anthropic/claude-opus-4.1", "claude-opus-4.1", ""),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.3", ""),
        ("gemini-2.5-flash-lite", "gemini-2.5", ""),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral", ""),
        ("fal-ai/flux-pro/v1.1-ultra", "flux-pro", ""),
    ],
)
def test_families_and_encodings(name: str, family: str, encoding: str) -> None:
    assert (names.family_of(name), names.encoding_of(name, "text")) == (family, encoding)


def test_a_draft_knows_its_quantities() -> None:
    draft = Draft("p", "m", "text", "m")
    draft.put(PLAIN, "input_tokens", Price(Decimal(1), "million"))
    assert draft.quantities() == {"input_tokens"}
