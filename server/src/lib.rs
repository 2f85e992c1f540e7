//! The till binary: command line, configuration, HTTP.
