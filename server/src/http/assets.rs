//! The pages' files: built into the binary, named by their content, sent compressed.

use std::borrow::Cow;
use std::io::{Error, ErrorKind};

use app::pages::{Asset, Assets};
use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use serde::Deserialize;

#[derive(RustEmbed)]
#[folder = "$TILL_SITE_DIR"]
#[allow_missing = true]
struct Site;

#[derive(Deserialize)]
struct Manifest {
    css: File,
    js: File,
    wasm: File,
}

#[derive(Deserialize)]
struct File {
    file: String,
    integrity: String,
}

impl From<File> for Asset {
    fn from(file: File) -> Asset {
        Asset { url: format!("/assets/{}", file.file), integrity: file.integrity }
    }
}

/// The addresses of the pages' files, with their digests.
pub(super) fn load() -> std::io::Result<Assets> {
    let missing =
        || Error::new(ErrorKind::NotFound, "this binary was compiled without the pages' files; use `make build`");
    let manifest = Site::get("manifest.json").ok_or_else(missing)?;
    let Manifest { css, js, wasm } = serde_json::from_slice(&manifest.data)?;
    Ok(Assets { css: css.into(), js: js.into(), wasm: wasm.into() })
}

/// A file. Its name changes with its content, so browsers may keep it for good.
pub(super) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(kind) = content_type(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let packed = accepts_brotli(&headers).then(|| Site::get(&format!("{name}.br"))).flatten();
    let encoding = if packed.is_some() { "br" } else { "identity" };
    let Some(file) = packed.or_else(|| Site::get(&name)) else { return StatusCode::NOT_FOUND.into_response() };
    let body = match file.data {
        Cow::Borrowed(bytes) => axum::body::Body::from(bytes),
        Cow::Owned(bytes) => axum::body::Body::from(bytes),
    };
    let described = [
        (CONTENT_TYPE, kind),
        (CONTENT_ENCODING, encoding),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (VARY, "accept-encoding"),
    ];
    (described, body).into_response()
}

fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => Some("text/css; charset=utf-8"),
        Some("js") => Some("text/javascript; charset=utf-8"),
        Some("wasm") => Some("application/wasm"),
        _ => None,
    }
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let offered = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("br") && parts.next() != Some("q=0")
    })
}
