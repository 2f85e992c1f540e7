//! The encoding of replies: a few lines of text.
//!
//! A JSON parser would be the largest part of the WebAssembly after Leptos itself. The replies are flat and need no such parser. Requests
//! are encoded as HTML forms, because pages without scripts send them too.

use server_fn::codec::Post;
use server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};

/// A reply that can be written as text and read back.
pub trait Plain: Sized {
    /// Writes the reply as text.
    fn write(&self) -> String;
    /// Reads the reply from text. None if the text is no such reply.
    fn read(text: &str) -> Option<Self>;
}

/// The encoding of a [`Plain`] reply.
pub struct PlainEncoding;

/// The encoding in the form that `#[server]` expects.
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
