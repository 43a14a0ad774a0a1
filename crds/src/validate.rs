//! stub
use crate::{Problems, ValidatedRuntime};
pub fn load(_text: &str, _source: &str) -> Result<ValidatedRuntime, Problems> {
    todo!()
}
