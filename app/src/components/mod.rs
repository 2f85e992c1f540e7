//! The pieces of the pages, rendered on the server only. One component per file, one style sheet beside it in `style/`.

mod button;
mod expiry;
mod footer;
mod header;
mod headline;
mod hidden;
mod icon;
mod message;
mod methods;
mod receipt;
mod spinner;
mod summary;

pub use button::Button;
pub use expiry::Expiry;
pub use footer::Footer;
pub use header::Header;
pub use headline::Headline;
pub use hidden::Hidden;
pub use icon::{Glyph, Icon};
pub use message::Message;
pub use methods::Methods;
pub use receipt::Receipt;
pub use spinner::Spinner;
pub use summary::Summary;
