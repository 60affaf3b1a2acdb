//! What is looked at: the figures, what is selected of them, and what keys change.

use std::cmp::Ordering;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::{Found, Live, Request, Snapshot, ToldRoute, Waterfall};

/// What is looked at.
#[derive(Debug)]
pub(super) struct View {
    pub(super) snapshot: Snapshot,
    pub(super) sort: Sort,
    pub(super) list: List,
    pub(super) mode: Mode,
    /// The route that requests are listed of; none: of all. It stays the same wherever it is sorted to.
    selected: Option<(String, &'static str, String)>,
}

/// What the routes are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Rate,
    Errors,
    Slowness,
    Requests,
    Name,
}

/// Which requests are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Slowest,
    Failed,
    Recent,
}

/// What fills the screen.
#[derive(Debug)]
pub(super) enum Mode {
    /// The figures.
    Figures,
    /// The figures, while somebody types an ID.
    Typing(String),
    /// What was found.
    Found(Box<Search>),
}

/// A search that was made.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) found: Found,
    /// The trace of the newest request that was found.
    pub(super) trace: Option<Waterfall>,
    /// How many rows are above the screen.
    pub(super) above: usize,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Draw,
    End,
}

/// Longer is no ID.
const LONGEST: usize = 200;

/// Rows that a page key moves by.
const PAGE: usize = 10;

impl View {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        let mut view = Self {
            snapshot,
            sort: Sort::Rate,
            list: List::Slowest,
            mode: Mode::Figures,
            selected: None,
        };
        view.sort();
        view
    }

    /// Takes newer figures.
    pub(super) fn update(&mut self, snapshot: Snapshot) {
        self.snapshot = snapshot;
        self.sort();
    }

    /// Where the selected route is among the routes.
    pub(super) fn selected(&self) -> Option<usize> {
        let (service, method, route) = self.selected.as_ref()?;
        self.snapshot
            .routes
            .iter()
            .position(|row| row.service == *service && row.method == *method && row.route == *route)
    }

    /// The requests to be listed.
    pub(super) fn listed(&self) -> Vec<&Request> {
        let of_all = match self.list {
            List::Slowest => &self.snapshot.slowest,
            List::Failed => &self.snapshot.failed,
            List::Recent => &self.snapshot.recent,
        };
        let is_of = |request: &&Request| match &self.selected {
            Some((service, method, route)) => {
                request.service == *service
                    && request.route == *route
                    && (request.method == *method || *method == "_OTHER")
            }
            None => true,
        };
        of_all.iter().filter(is_of).collect()
    }

    /// Does what a key says.
    pub(super) fn key(&mut self, key: KeyEvent, live: &Live) -> Next {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Next::End } else { Next::Draw };
        }
        match &mut self.mode {
            Mode::Figures => return self.key_in_figures(key.code),
            Mode::Typing(typed) => match key.code {
                KeyCode::Esc => self.mode = Mode::Figures,
                KeyCode::Enter => self.mode = search(typed, live),
                KeyCode::Backspace => drop(typed.pop()),
                KeyCode::Char(letter) if typed.len() < LONGEST => typed.push(letter),
                _ => {}
            },
            Mode::Found(search) => match key.code {
                KeyCode::Esc | KeyCode::Char('q') => self.mode = Mode::Figures,
                KeyCode::Char('/') => self.mode = Mode::Typing(String::new()),
                code => search.above = search.above.saturating_add_signed(rows(code)),
            },
        }
        Next::Draw
    }

    fn key_in_figures(&mut self, code: KeyCode) -> Next {
        match code {
            KeyCode::Char('q') => return Next::End,
            KeyCode::Esc => self.selected = None,
            KeyCode::Char('/') => self.mode = Mode::Typing(String::new()),
            KeyCode::Char('r') => self.list = self.list.next(),
            KeyCode::Char('s') => {
                self.sort = self.sort.next();
                self.sort();
            }
            code => self.select(rows(code)),
        }
        Next::Draw
    }

    /// The first key selects the first route, further ones move on from there.
    fn select(&mut self, rows: isize) {
        let Some(last) = self.snapshot.routes.len().checked_sub(1) else { return };
        let at = match self.selected() {
            _ if rows == 0 => return,
            Some(at) => at.saturating_add_signed(rows).min(last),
            None => 0,
        };
        let row = &self.snapshot.routes[at];
        self.selected = Some((row.service.clone(), row.method, row.route.clone()));
    }

    fn sort(&mut self) {
        let sort = self.sort;
        self.snapshot.routes.sort_by(|one, other| sort.compare(one, other));
    }
}

impl Sort {
    /// What the screen calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Errors => "errors",
            Self::Slowness => "p95",
            Self::Requests => "requests",
            Self::Name => "route",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Rate => Self::Errors,
            Self::Errors => Self::Slowness,
            Self::Slowness => Self::Requests,
            Self::Requests => Self::Name,
            Self::Name => Self::Rate,
        }
    }

    /// The most remarkable first; what is the same, by name, so that rows do not jump.
    fn compare(self, one: &ToldRoute, other: &ToldRoute) -> Ordering {
        let (this, that) = (&one.told, &other.told);
        let order = match self {
            Self::Rate => that.rate.total_cmp(&this.rate),
            Self::Errors => that.error_ratio.total_cmp(&this.error_ratio),
            Self::Slowness => that.p95_ms.unwrap_or(-1.0).total_cmp(&this.p95_ms.unwrap_or(-1.0)),
            Self::Requests => that.requests.cmp(&this.requests),
            Self::Name => Ordering::Equal,
        };
        let name = |row: &ToldRoute| (row.route.clone(), row.method, row.service.clone());
        order.then_with(|| name(one).cmp(&name(other)))
    }
}

impl List {
    /// What the screen calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Slowest => "slowest of 5 minutes",
            Self::Failed => "newest failed",
            Self::Recent => "newest",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Slowest => Self::Failed,
            Self::Failed => Self::Recent,
            Self::Recent => Self::Slowest,
        }
    }
}

fn search(typed: &str, live: &Live) -> Mode {
    let found = live.search(typed);
    let newest = found.found.first();
    let trace = newest.and_then(|found| live.trace(&found.request.trace_id));
    Mode::Found(Box::new(Search { found, trace, above: 0 }))
}

/// By how many rows a key moves.
fn rows(code: KeyCode) -> isize {
    let page = isize::try_from(PAGE).unwrap_or(1);
    match code {
        KeyCode::Down | KeyCode::Char('j') => 1,
        KeyCode::Up | KeyCode::Char('k') => -1,
        KeyCode::PageDown | KeyCode::Char(' ') => page,
        KeyCode::PageUp => -page,
        KeyCode::Home | KeyCode::Char('g') => isize::MIN,
        KeyCode::End | KeyCode::Char('G') => isize::MAX,
        _ => 0,
    }
}
