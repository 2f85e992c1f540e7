//! The shopper pages: components, islands and server functions.
