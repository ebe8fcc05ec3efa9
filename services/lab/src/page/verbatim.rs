//! The words of the services, letter for letter. Their emoji are drawn, since not every
//! machine has a font for them; whoever copies or hears the words gets the letters.

use maud::{Markup, html};

/// An emoji in the words of the services, and its shape in a square of 20.
struct Emoji {
    letters: &'static str,
    shape: &'static str,
}

const EMOJI: [Emoji; 3] = [
    Emoji {
        letters: "💥",
        shape: "M10 1l2 5 5-3-2 5 4 2-4 2 2 5-5-2-2 4-2-4-5 2 2-5-4-2 4-2-2-5 5 3z",
    },
    Emoji {
        letters: "✅",
        shape: "M4 1h12a3 3 0 0 1 3 3v12a3 3 0 0 1-3 3H4a3 3 0 0 1-3-3V4a3 3 0 0 1 3-3zM4 10l4 5 8-9-2-2-6 7-2-3z",
    },
    // With the selector that asks for a picture.
    Emoji { letters: "⚠\u{fe0f}", shape: "M10 1l9.5 17.5H.5zM9 7v6h2V7zM9 14.5v2h2v-2z" },
];

/// Words that may have emoji in them.
pub(super) fn verbatim(words: &str) -> Markup {
    let first = EMOJI.iter().filter_map(|emoji| Some((words.find(emoji.letters)?, emoji)));
    let Some((at, emoji)) = first.min_by_key(|(at, _)| *at) else { return html! { (words) } };
    let (before, rest) = words.split_at(at);
    html! {
        (before)
        span class="emoji" {
            span class="spoken" { (emoji.letters) }
            svg viewBox="0 0 20 20" aria-hidden="true" {
                path d=(emoji.shape) fill-rule="evenodd" {}
            }
        }
        (verbatim(rest.strip_prefix(emoji.letters).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read when the elements are left out.
    fn letters(page: &str) -> String {
        let mut parts = page.split('<');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once('>').unwrap().1)
    }

    #[test]
    fn each_emoji_is_drawn_and_the_letters_stay_as_they_were() {
        for (words, drawn) in [
            ("Order failed 💥", 1),
            ("reserved (first try) ✅", 1),
            ("reserved (after timeout retry) ⚠\u{fe0f}", 1),
            ("✅ 💥💥 ✅!", 4),
            ("ケーキ &", 0),
            ("", 0),
        ] {
            let page = verbatim(words).into_string();
            assert_eq!(page.matches("<path").count(), drawn, "{page}");
            assert_eq!(letters(&page).replace("&amp;", "&"), words);
        }
        assert!(verbatim("<b>💥").into_string().starts_with("&lt;b&gt;<span"));
    }
}
