//! Provider wire formats in and out, signatures and declines. No network, no database.
