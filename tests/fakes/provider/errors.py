"""Error answers: in OpenAI's own shape, and as something between us and the provider would send them."""

from __future__ import annotations

import json
from http import HTTPStatus

from . import models
from .ask import JSON, Ask
from .behaviour import Behaviour

DEFAULTS: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "The request was invalid."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: (
        "invalid_request_error",
        "unsupported_country_region_territory",
        "Country not supported.",
    ),
    404: (
        "invalid_request_error",
        "model_not_found",
        "The model does not exist or you do not have access to it.",
    ),
    408: ("server_error", "timeout", "Request timed out."),
    409: ("invalid_request_error", "conflict", "The request conflicts with another one."),
    422: ("invalid_request_error", None, "Unprocessable."),
    429: (
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for requests. Please try again in 20s.",
    ),
    500: (
        "server_error",
        None,
        "The server had an error while processing your request. Sorry about that!",
    ),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
}


def body(kind: str, message: str, code: str | None = None, param: str | None = None) -> JSON:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def of_status(ask: Ask, do: Behaviour) -> tuple[str, bytes]:
    """Content type and body of an ordered error status."""
    if do.foreign:
        return "text/html", foreign(do.status)
    kind, code, message = DEFAULTS.get(do.status, ("server_error", None, f"Error {do.status}."))
    made = body(kind, message, code)
    made = shaped(ask, do.status, made)
    made["error"].update(do.error)
    return "application/json", json.dumps(made).encode()


ANTHROPIC = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
GOOGLE = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def shaped(ask: Ask, status: int, made: JSON) -> JSON:
    """An error in the shape of the provider whose endpoint was asked."""
    message = made["error"]["message"]
    if ask.endpoint in ("messages", "messages.count_tokens"):
        kind = ANTHROPIC.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}
    if ask.endpoint in ("generate_content", "count_tokens", "embed_content"):
        name = GOOGLE.get(status, "UNKNOWN")
        return {"error": {"code": status, "message": message, "status": name}}
    return made


def foreign(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    title = f"{status} {phrase}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def unknown_url(ask: Ask) -> JSON:
    return body("invalid_request_error", f"Invalid URL ({ask.method} {ask.path})", "unknown_url")


def problem(ask: Ask) -> tuple[int, JSON] | None:
    """What the real provider would refuse in this request, with its status; None when it is fine."""
    if ask.bad_json:
        return 400, body(
            "invalid_request_error", "We could not parse the JSON body of your request."
        )
    if ask.key_last4 == "none":
        return 401, body("invalid_request_error", "Incorrect API key provided.", "invalid_api_key")
    if not ask.model:
        return 400, body("invalid_request_error", "you must provide a model parameter")
    if ask.model.startswith("no-such"):
        message = f"The model `{ask.model}` does not exist or you do not have access to it."
        return 404, body("invalid_request_error", message, "model_not_found")
    wrong = _limits(ask)
    return (400, wrong) if wrong else None


def _limits(ask: Ask) -> JSON | None:
    model = models.find(ask.model)
    kind = "invalid_request_error"
    asked = ask.body
    if ask.endpoint == "chat.completions":
        if "max_tokens" in asked and model.reasoning:
            message = (
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead."
            )
            return body(kind, message, "unsupported_parameter", "max_tokens")
        if asked.get("max_tokens") is not None and asked.get("max_completion_tokens") is not None:
            message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
            return body(kind, message, "invalid_parameter_combination", "max_tokens")
    if "stream_options" in asked:
        if ask.endpoint == "responses":
            options = asked["stream_options"]
            if isinstance(options, dict) and "include_usage" in options:
                message = "Unknown parameter: 'stream_options.include_usage'."
                return body(kind, message, "unknown_parameter", "stream_options.include_usage")
        elif asked["stream_options"] is not None and not ask.stream:
            message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            return body(kind, message, None, "stream_options")
    if ask.endpoint == "messages" and ask.limit is None:
        return body(kind, "max_tokens: Field required")
    if ask.limit is not None:
        least = 16 if ask.endpoint == "responses" else 1
        if ask.limit < least:
            message = (
                f"Invalid '{ask.limit_name}': integer below minimum value. Expected a value >= {least}, "
                f"but got {ask.limit} instead."
            )
            return body(kind, message, "integer_below_min_value", ask.limit_name)
        if ask.limit > model.output_max:
            message = (
                f"{ask.limit_name} is too large: {ask.limit}. This model supports at most "
                f"{model.output_max} completion tokens, whereas you provided {ask.limit}."
            )
            return body(kind, message, "invalid_value", ask.limit_name)
    if ask.input_tokens > model.context:
        message = f"This model's maximum context length is {model.context} tokens."
        return body(kind, message, "context_length_exceeded", "messages")
    return None
