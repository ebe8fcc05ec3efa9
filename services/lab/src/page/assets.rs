//! The files of the pages; all of them are in the program.

/// A file, and its media type.
pub(crate) struct Asset {
    pub(crate) media_type: &'static str,
    pub(crate) body: &'static str,
}

/// The file of this name.
pub(crate) fn asset(name: &str) -> Option<Asset> {
    Some(match name {
        "page.css" => Asset {
            media_type: "text/css; charset=utf-8",
            body: include_str!("../../assets/page.css"),
        },
        "page.js" => Asset {
            media_type: "text/javascript; charset=utf-8",
            body: include_str!("../../assets/page.js"),
        },
        "linked.js" => Asset {
            media_type: "text/javascript; charset=utf-8",
            body: include_str!("../../assets/linked.js"),
        },
        "icon.svg" => {
            Asset { media_type: "image/svg+xml", body: include_str!("../../assets/icon.svg") }
        }
        _ => return None,
    })
}
