//! The border to Python: this folder is the only one that knows it.

mod border;
mod encrypted;
