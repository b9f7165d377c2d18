//! Parameters of a request, from query, form body or JSON, with typed and checked access.
//!
//! Source: Binance Spot API, "General Information on Endpoints" and "Error codes".

use super::error::ApiError;
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Parameters of one request at most.
const PARAMETERS_MAX: usize = 200;
/// What a decimal may look like, as error messages show it.
const DECIMAL_RANGE: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
/// Decimals a price or quantity may carry.
const DECIMALS_MAX: u32 = 8;

/// The parameters by name. Unknown ones are kept and ignored, as the real exchange mostly does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads query and form body. A parameter in both counts as the query has it.
    ///
    /// # Errors
    /// -1101 for a name that comes twice in one of them, -1100 for what is not percent-encoded UTF-8.
    pub(super) fn from_form(query: &str, body: &str) -> Result<Params, ApiError> {
        let mut params = read_form(body)?;
        params.append(&mut read_form(query)?);
        Ok(Params(params))
    }

    /// Reads the `params` object of a web socket's request. Numbers keep the digits they were sent with.
    ///
    /// # Errors
    /// -1135 for what is not an object.
    pub(super) fn from_json(raw: Option<&RawValue>) -> Result<Params, ApiError> {
        let Some(raw) = raw else {
            return Ok(Params::default());
        };
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(raw.get())
            .map_err(|_| ApiError::new(-1135, "JSON sent for parameter 'params' is not valid"))?;
        let text = |value: &RawValue| {
            serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
        };
        let present = fields
            .into_iter()
            .filter(|(_, value)| value.get() != "null");
        Ok(Params(
            present.map(|(name, value)| (name, text(&value))).collect(),
        ))
    }

    /// All of them joined as `name=value` with `&`, sorted by name, without `signature`: what a web socket's request
    /// is signed over.
    pub(super) fn signed_text(&self) -> String {
        let pairs = self.0.iter().filter(|(name, _)| *name != "signature");
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    }

    /// Whether it was sent, empty or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The text of a parameter, if it was sent and is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// The text of a parameter that has to be there.
    ///
    /// # Errors
    /// -1102 without it, -1105 when it is empty.
    pub(super) fn require(&self, name: &str) -> Result<&str, ApiError> {
        match self.0.get(name) {
            None => Err(ApiError::mandatory(name)),
            Some(text) if text.is_empty() => Err(ApiError::new(
                -1105,
                format!("Parameter '{name}' was empty."),
            )),
            Some(text) => Ok(text),
        }
    }

    /// A decimal of at most eight decimals, above or equal to zero.
    ///
    /// # Errors
    /// -1100 for other characters, -1111 for too many decimals.
    pub(super) fn decimal(&self, name: &str) -> Result<Option<Decimal>, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let illegal = || ApiError::illegal_characters(name, DECIMAL_RANGE);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |digits: &str| {
            (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole) || !is_number(fraction) {
            return Err(illegal());
        }
        let number = Decimal::from_str_exact(text).map_err(|_| illegal())?;
        let number = number.normalize();
        if number.scale() > DECIMALS_MAX {
            return Err(ApiError::precision(name));
        }
        Ok(Some(number))
    }

    /// A decimal that has to be there.
    ///
    /// # Errors
    /// As [`Params::decimal`], and -1102 without it.
    pub(super) fn require_decimal(&self, name: &str) -> Result<Decimal, ApiError> {
        self.require(name)?;
        self.decimal(name)?.ok_or_else(|| ApiError::mandatory(name))
    }

    /// A whole number, zero or above.
    ///
    /// # Errors
    /// -1100 for anything else.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<i64>().ok().filter(|_| digits);
            number.ok_or_else(|| ApiError::illegal_characters(name, "^[0-9]{1,20}$"))
        };
        self.text(name).map(number).transpose()
    }

    /// `true` or `false`, in any case.
    ///
    /// # Errors
    /// -1130 for anything else.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        let flag = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(ApiError::invalid_data(name)),
        };
        self.text(name).map(flag).transpose()
    }

    /// A list: a JSON array of strings, a comma-separated text or a single name.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.text(name)?;
        let parsed = serde_json::from_str::<Vec<String>>(text).ok();
        Some(parsed.unwrap_or_else(|| text.split(',').map(str::to_owned).collect()))
    }

    /// A client order id: 1 to 36 of the characters that `is_legal` allows.
    ///
    /// # Errors
    /// -1100 with the range for anything else.
    pub(super) fn client_id(
        &self,
        name: &str,
        is_legal: fn(u8) -> bool,
        range: &str,
    ) -> Result<Option<String>, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        if text.len() > 36 || !text.bytes().all(is_legal) {
            return Err(ApiError::illegal_characters(name, range));
        }
        Ok(Some(text.to_owned()))
    }
}

/// One half of a request, as a form.
fn read_form(text: &str) -> Result<BTreeMap<String, String>, ApiError> {
    let mut params = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let illegal = || ApiError::new(-1100, "Illegal characters found in a parameter.");
        let name = percent_decode(name).ok_or_else(illegal)?;
        let value = percent_decode(value).ok_or_else(illegal)?;
        if params.len() >= PARAMETERS_MAX {
            return Err(ApiError::new(
                -1101,
                "Too many parameters sent for this endpoint.",
            ));
        }
        if params.insert(name, value).is_some() {
            return Err(ApiError::new(
                -1101,
                "Duplicate values for a parameter detected.",
            ));
        }
    }
    Ok(params)
}

/// The text behind percent-encoding; none if it is not UTF-8 or an escape is broken.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
