//! What the spans of a run make of the counters.

use std::sync::Arc;

use campuscafe_evidence::counters;
use maud::{Markup, html};

use super::Reader;
use crate::lessons::Finding;
use crate::printable::printable;

/// A row for each counter that the run moved; nothing if its spans move none.
pub(super) fn counted(reader: Reader, findings: &[Arc<Finding>]) -> Markup {
    let counters = counters::sum(findings.iter().map(|finding| finding.span_counters()));
    html! { @if !counters.is_empty() {
        h2 { (reader.say("counted")) }
        section class="card counted" {
            p class="hint" { (reader.say("counted-how")) }
            div class="scroll" { table class="attributes" { tbody {
                @for (series, by) in &counters { tr {
                    th scope="row" { (printable(series)) }
                    td { "+" (by) }
                } }
            } } }
        }
    } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lessons::testing::{finding, order_trace};
    use crate::messages::Language;

    #[test]
    fn a_run_has_a_row_for_each_counter_of_its_spans_and_no_table_without_spans() {
        let reader = Reader { language: Language::English, wall: false };
        let lost = || finding("abort", order_trace(Err("connection_lost"), 5));
        let page = counted(reader, &[lost(), lost()]).into_string();
        for series in [
            "order_attempts_total{result=&quot;connection_lost&quot;}",
            "order_outcomes_total{outcome=&quot;unknown&quot;}",
        ] {
            let row = format!("<th scope=\"row\">{series}</th><td>+2</td>");
            assert!(page.contains(&row), "no {row} in {page}");
        }
        assert_eq!(page.matches("<tr>").count(), 2, "{page}");
        assert_eq!(counted(reader, &[finding("abort", None)]).into_string(), "");
    }
}
