//! HTML that can't be injected: what is written in the source is markup, everything else is text.

use axum::response::{IntoResponse, Response};
use rust_decimal::Decimal;

/// Markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    pub(super) const fn new() -> Self {
        Self(String::new())
    }

    /// Adds markup as it stands in the source: only a literal lives so long.
    pub(super) fn literal(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    fn text(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                letter if letter.is_control() && letter != '\n' => self.0.push('\u{fffd}'),
                letter => self.0.push(letter),
            }
        }
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        axum::response::Html(self.0).into_response()
    }
}

/// What can stand in braces in [`html!`].
pub(super) trait Show {
    fn show(&self, page: &mut Html);
}

impl Show for Html {
    fn show(&self, page: &mut Html) {
        page.0.push_str(&self.0);
    }
}

impl Show for [Html] {
    fn show(&self, page: &mut Html) {
        for part in self {
            part.show(page);
        }
    }
}

impl Show for Vec<Html> {
    fn show(&self, page: &mut Html) {
        self.as_slice().show(page);
    }
}

impl Show for str {
    fn show(&self, page: &mut Html) {
        page.text(self);
    }
}

impl Show for String {
    fn show(&self, page: &mut Html) {
        page.text(self);
    }
}

impl Show for usize {
    fn show(&self, page: &mut Html) {
        page.text(&self.to_string());
    }
}

impl Show for Decimal {
    fn show(&self, page: &mut Html) {
        page.text(&self.to_string());
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self, page: &mut Html) {
        if let Some(part) = self {
            part.show(page);
        }
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self, page: &mut Html) {
        (**self).show(page);
    }
}

/// Markup from literals and, in braces, texts (which are escaped) and other markup:
/// `html!("<p class=\"" {class} "\">" {text} "</p>")`.
macro_rules! html {
    ($($part:tt)*) => {{
        #[allow(unused_mut)]
        let mut page = $crate::admin::pages::html::Html::new();
        $($crate::admin::pages::html::part!(page, $part);)*
        page
    }};
}

/// One part of [`html!`].
macro_rules! part {
    ($page:ident, { $value:expr }) => {
        $crate::admin::pages::html::Show::show(&$value, &mut $page)
    };
    ($page:ident, $markup:literal) => {
        $page.literal($markup)
    };
}

pub(super) use {html, part};

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_stands_in_the_source_is_markup() {
        let nasty = r#"<script>alert("x")</script>'&"#;
        let inner = html!("<b>" {nasty} "</b>");
        let page =
            html!("<a title=\"" {nasty} "\">" {inner} {Some("x\u{7}")} {None::<String>} "</a>");
        let escaped = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;";
        assert_eq!(
            page.0,
            format!("<a title=\"{escaped}\"><b>{escaped}</b>x\u{fffd}</a>")
        );
        assert_eq!(html!({ vec![html!("<i>"), html!({ 7_usize })] }).0, "<i>7");
    }
}
