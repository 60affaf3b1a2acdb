//! Sentences for the person, on stderr; while the view has the terminal, they are kept for later.

/// Tells them now, or when the view has gone.
pub(super) struct Teller {
    later: Option<Vec<String>>,
}

impl Teller {
    /// For a session whose view has the terminal, or not.
    pub(super) fn new(is_in_terminal: bool) -> Self {
        Self { later: is_in_terminal.then(Vec::new) }
    }

    /// What is of interest now, and not when the view has gone.
    pub(super) fn mention(&self, sentence: &str) {
        if self.later.is_none() {
            eprintln!("{sentence}");
        }
    }

    /// What must not be missed.
    pub(super) fn tell(&mut self, sentence: String) {
        match &mut self.later {
            Some(later) => later.push(sentence),
            None => eprintln!("{sentence}"),
        }
    }

    /// The view has gone.
    pub(super) fn finish(&mut self) {
        for sentence in self.later.take().into_iter().flatten() {
            eprintln!("{sentence}");
        }
    }
}
