//! What stands on the page, to be tried.

use std::fs;

use sightline_setup::Checkout;

const PAGE: &str = "docs/access-log.md";

/// The one block with this comment.
pub(super) fn block(marker: &str) -> String {
    let page = Checkout::find().unwrap().root().join(PAGE);
    let page = fs::read_to_string(page).unwrap();
    let comment = format!("<!-- checked: {marker} -->\n```");
    let (_, after) = page.split_once(&comment).unwrap_or_else(|| panic!("no {marker} in {PAGE}"));
    let (_, body) = after.split_once('\n').unwrap();
    let (body, rest) = body.split_once("\n```").unwrap();
    assert!(!rest.contains(&comment), "{PAGE}: more than one block is {marker}");
    body.to_owned()
}
