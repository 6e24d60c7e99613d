"""Headers that tell a browser what pages of ours may do. Pure."""

CONTENT_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
"""For contents that the swarm has written: whatever they are, nothing in them runs or loads."""


def page_policy(socket_origin: str) -> str:
    """Return the content-security policy of our pages.

    Everything comes from here, but for the bus's websocket, which is named.
    """
    connect = f"'self' {socket_origin}".strip()
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src {connect}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        )
    )


def security_headers(socket_origin: str) -> dict[str, str]:
    """Return what every answer carries unless it says something stricter."""
    return {
        "content-security-policy": page_policy(socket_origin),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "x-frame-options": "DENY",
    }
