//! How replies travel: as a few lines of text.
//!
//! A JSON parser would be the largest part of the WebAssembly after Leptos itself; these replies are flat and do not
//! need one. Requests are plain forms, because plain forms send them too.

use server_fn::codec::Post;
use server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};

/// A reply that can be written as text and read back.
pub trait Plain: Sized {
    /// As text.
    fn write(&self) -> String;
    /// From text, if it is such a reply.
    fn read(text: &str) -> Option<Self>;
}

/// The encoding of a [`Plain`] reply.
pub struct PlainEncoding;

/// The encoding as `#[server]` wants it named.
pub type PlainText = Post<PlainEncoding>;

impl ContentType for PlainEncoding {
    const CONTENT_TYPE: &'static str = "text/plain; charset=utf-8";
}

impl FormatType for PlainEncoding {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Plain> Encodes<T> for PlainEncoding {
    type Error = &'static str;

    fn encode(reply: &T) -> Result<Bytes, Self::Error> {
        Ok(reply.write().into())
    }
}

impl<T: Plain> Decodes<T> for PlainEncoding {
    type Error = &'static str;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        let text = str::from_utf8(&bytes).ok();
        text.and_then(T::read).ok_or("not such a reply")
    }
}
