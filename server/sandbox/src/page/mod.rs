//! The frame of every page, the escaping of foreign text, and the redirects.

pub mod parts;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// Text that is safe between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Scripts and styles come only from the sandbox. There is no `form-action`, because it would also stop the redirect to the shop.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/// A whole page of a provider. `provider` and `body` are trusted markup; all other values are escaped.
pub fn layout(provider: &str, status: StatusCode, title: &str, class: &str, body: &str) -> Response {
    let title = escape(title);
    let page = format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title} · Sandbox payments</title>
<link rel="stylesheet" href="/assets/sandbox.css">
<link rel="icon" href="data:,">
<script src="/assets/sandbox.js" defer></script>
</head>
<body class="{class}">
<header class="bar"><div class="bar-inner"><span class="brand"><span class="mark" aria-hidden="true"></span>Sandbox payments</span><span class="badge">Test mode</span></div></header>
{body}
<footer class="foot">Simulated {provider} page. No real card works here and no money moves.</footer>
</body>
</html>
"##
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(page)).into_response()
}

/// A 303 to a page of the sandbox or to the merchant's address. An invalid address gets the page of `otherwise`.
pub fn leave(target: &str, otherwise: fn() -> Response) -> Response {
    let location = HeaderValue::from_str(target)
        .ok()
        .filter(|_| target.is_ascii())
        .or_else(|| HeaderValue::from_str(url::Url::parse(target).ok()?.as_str()).ok());
    match location {
        Some(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        None => otherwise(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn markup_becomes_text() {
        assert_eq!(super::escape(r#"<a href="x">&'"#), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
