//! An inferred route as the template that could be pinned in its place. The words are the core's.

use sightline_core::route::Shape;
use sightline_core::route::learner::{Learned, Limits};

/// No route is too many when it is the only one.
const ALONE: Limits = Limits { routes: 4, children: None };

/// The template that takes the place of an inferred route: `/orders/{int}` is `/orders/{order_id:int}`.
/// None where there is nothing to gain: the route has no parameter, or it is none of the inferred ones.
pub fn template_of(route: &str) -> Option<String> {
    // A placeholder is read as what it stands for, so a route has its own shape.
    let shape = Shape::of(route.as_bytes());
    let mut learned = Learned::default();
    let found = learned.admit(shape.parts(), ALONE).ok()?;
    let is_itself = learned.name(found.route) == Some(route);
    let suggestion = learned.suggest().into_iter().next().filter(|_| is_itself)?;
    Some(suggestion.template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inferred_route_has_a_template() {
        for (route, template) in [
            ("/users/{int}", Some("/users/{user_id:int}")),
            ("/users/{int}/orders/{uuid}", Some("/users/{user_id:int}/orders/{order_id:uuid}")),
            ("/articles/{str}", Some("/articles/{article_id}")),
            ("/{str}", Some("/{name}")),
            ("/{int}/{int}", Some("/{id:int}/{id_2:int}")),
            ("/reports/{date}", Some("/reports/{date}")),
            ("/users", None),
            ("/", None),
            ("", None),
            ("_unmatched", None),
            ("_other", None),
            ("/users/{user_id}", None),
            ("/users/17", None),
            ("users/{int}", None),
            ("/users//{int}", None),
        ] {
            assert_eq!(template_of(route).as_deref(), template, "{route}");
        }
    }
}
