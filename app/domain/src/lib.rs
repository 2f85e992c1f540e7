//! Till's rules: money, sessions, links, payments, declines. Pure: no I/O, no clock, no async.
