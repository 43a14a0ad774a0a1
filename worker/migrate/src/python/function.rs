//! The functions and methods that the interpreter knows.

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Str,
    Int,
    Float,
    Len,
    Bool,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "str" => Self::Str,
            "int" => Self::Int,
            "float" => Self::Float,
            "len" => Self::Len,
            "bool" => Self::Bool,
            _ => return None,
        })
    }
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Keys,
    Values,
    Lower,
    Upper,
    Strip,
    StartsWith,
    EndsWith,
}

impl Method {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "get" => Self::Get,
            "keys" => Self::Keys,
            "values" => Self::Values,
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "strip" => Self::Strip,
            "startswith" => Self::StartsWith,
            "endswith" => Self::EndsWith,
            _ => return None,
        })
    }
}
