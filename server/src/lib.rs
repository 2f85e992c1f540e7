//! The `till` binary's parts: command line, configuration, HTTP.

pub mod bounds;
pub mod cli;
pub mod config;
pub mod files;
pub mod http;
mod logging;
mod run;
mod terminal;
mod unwritable;
