//! The page around the sections.

/// A whole page. `sections` is HTML, the rest is text.
pub(super) fn page(title: &str, lead: &str, sections: &str) -> String {
    let (title, lead, style) = (escape(title), escape(lead), include_str!("style.css"));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{style}</style>\n</head>\n\
         <body>\n<main>\n<header>\n<p class=\"brand\">timeweft</p>\n<h1>{title}</h1>\n<p class=\"lead\">{lead}</p>\n\
         </header>\n{sections}<footer>timeweft {}</footer>\n</main>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// A section with a heading and a remark. `body` is HTML, the rest is text.
pub(super) fn section(heading: &str, remark: &str, body: &str) -> String {
    let remark =
        if remark.is_empty() { String::new() } else { format!("<p class=\"remark\">{}</p>\n", escape(remark)) };
    format!("<section>\n<h2>{}</h2>\n{remark}{body}</section>\n", escape(heading))
}

/// Text as HTML.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_data_cannot_become_markup() {
        let html = page("<script>", "a & \"b\"", "");
        assert!(html.contains("&lt;script&gt;") && html.contains("a &amp; &quot;b&quot;"));
        assert!(!html.contains("<script>"));
    }
}
