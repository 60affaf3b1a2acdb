//! A framework's application in Python, asked through its standard input and output. What it says
//! there is described in `tests/frameworks/protocol.py`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use sightline_setup::{Checkout, python};

use crate::probes::Probe;

/// One of the three, running.
pub(crate) struct Framework {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    routes: Vec<Route>,
    /// What was asked before: probes that are one for us are asked again and again.
    answered: BTreeMap<Probe, Answer>,
}

/// A route as the framework spells it.
#[derive(Debug, Deserialize)]
struct Route {
    template: String,
    /// Stands for all that a mount keeps from the routes behind it, and is none itself.
    swallows: bool,
}

/// What the framework did with a probe. Routes are known by their places in the list.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The one that it chose.
    pub(crate) route: Option<usize>,
    /// All that match, each by itself.
    pub(crate) matching: Vec<usize>,
    /// All that would match without the slash that they have at their ends.
    pub(crate) bare: Vec<usize>,
    pub(crate) note: Option<Note>,
}

/// What it did besides matching; the words are those of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Note {
    Slash,
    Method,
    Refused,
    Merged,
    Failed,
}

#[derive(Deserialize)]
struct Said {
    template: Option<String>,
    matching: Vec<String>,
    bare: Vec<String>,
    note: Option<Note>,
}

impl Framework {
    pub(crate) fn start(name: &str) -> Self {
        let checkout = Checkout::find().unwrap();
        let python = python::interpreter(&checkout).unwrap();
        let mut child = Command::new(python)
            .arg("-B")
            .arg(checkout.root().join(format!("tests/frameworks/{name}_routes.py")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = output.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty());
        let routes = lines.map(|line| serde_json::from_str(&line).unwrap()).collect();
        Self { child, input, output, routes, answered: BTreeMap::new() }
    }

    pub(crate) fn templates(&self) -> Vec<String> {
        self.routes.iter().map(|route| route.template.clone()).collect()
    }

    pub(crate) fn template(&self, place: usize) -> &str {
        &self.routes[place].template
    }

    /// What a match means: none, if it only stands for what a mount swallows.
    pub(crate) fn route_of(&self, found: Option<usize>) -> Option<usize> {
        found.filter(|&place| !self.routes[place].swallows)
    }

    pub(crate) fn spelt(&self, route: Option<usize>) -> String {
        route.map_or("no route".to_owned(), |place| {
            format!("{place}: {}", self.routes[place].template)
        })
    }

    pub(crate) fn ask(&mut self, probe: &Probe) -> Answer {
        if let Some(answer) = self.answered.get(probe) {
            return answer.clone();
        }
        let answer = self.ask_anew(probe);
        self.answered.insert(probe.clone(), answer.clone());
        answer
    }

    fn ask_anew(&mut self, probe: &Probe) -> Answer {
        let asked = serde_json::json!({
            "method": probe.method,
            "path": probe.path,
            "digits": probe.digits,
        });
        let _ = writeln!(self.input, "{asked}");
        let line = self
            .output
            .next()
            .unwrap_or_else(|| panic!("the application ended at {probe}; its messages are above"));
        let said: Said = serde_json::from_str(&line.unwrap()).unwrap();
        let places = |all: &[String]| all.iter().map(|template| self.place(template)).collect();
        Answer {
            route: said.template.map(|template| self.place(&template)),
            matching: places(&said.matching),
            bare: places(&said.bare),
            note: said.note,
        }
    }

    fn place(&self, template: &str) -> usize {
        self.routes.iter().position(|route| route.template == template).unwrap()
    }
}

impl Drop for Framework {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.route {
            Some(route) => write!(f, "{route}")?,
            None => f.write_str("no route")?,
        }
        write!(f, " of {:?}", self.matching)?;
        self.note.map_or(Ok(()), |note| write!(f, ", {note:?}"))
    }
}
