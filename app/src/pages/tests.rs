//! Every page, looked at for what must never be in it.

use super::*;
