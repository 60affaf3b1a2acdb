//! `sightline check`: the filter's configurations in files, and all that is wrong with them, with its place.
//!
//! What a configuration means is for `sightline-core` to say. Here it is found, in a file of its own or in one of
//! Envoy, Istio, Envoy Gateway or Kubernetes, and what the core says of it is told with line and column.

mod find;
mod finding;
mod input;
mod locate;
mod node;
mod origin;
mod own;
mod refused;
mod scalar;
mod source;
mod yaml;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Range;
use std::rc::Rc;

use sightline_core::config::{self, Problem, Problems, Settings, Value};

use find::{Block, Found};
use node::{Kind, Node, Scalar};
use origin::Origin;
use scalar::Reader;
use yaml::Malformed;

use crate::harmless::harmless;

pub use finding::{Finding, Paint, Severity};
pub use input::{Unreadable, read};
pub use refused::Refused;
pub use source::{Place, Source};

/// A file that was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    source: Source,
    configurations: usize,
    findings: Vec<Finding>,
}

/// A configuration that is the whole of its file, and that the filter will take.
#[derive(Clone, Debug)]
pub struct Own {
    /// As it was written.
    pub text: String,
    /// What was said.
    pub said: Value,
    /// What that means.
    pub meant: Settings,
    /// What is allowed in it and yet hardly meant.
    pub warnings: Checked,
}

/// How many problems of one configuration are told. Nobody reads on, and finding each place takes time.
const MOST_TOLD: usize = 500;

/// Checks whatever configurations stand in a file.
pub fn check(source: Source) -> Checked {
    let origin = Origin::from(0);
    let findings = match yaml::read(source.text(), &origin) {
        Ok(documents) => return check_found(source, &find::find(documents)),
        Err(malformed) => vec![not_yaml(malformed)],
    };
    Checked::new(source, 0, findings)
}

/// Reads a file that is a configuration and nothing else.
pub fn own(source: Source) -> Result<Own, Box<Checked>> {
    let wrong = |source, findings| Box::new(Checked::new(source, 1, findings));
    let documents = match yaml::read(source.text(), &Origin::from(0)) {
        Ok(documents) => documents,
        Err(malformed) => return Err(wrong(source, vec![not_yaml(malformed)])),
    };
    if let Some(second) = documents.get(1) {
        let message = "a second document begins here, expected one configuration";
        let finding = Finding::error(message, Some(second.root.span.clone()));
        return Err(wrong(source, vec![finding]));
    }
    let root = documents.first().map(|document| node::merged(&document.root));
    let said = root.as_ref().map_or(Value::Null, |root| root.value(Reader::Other));
    let findings = |problems: &[Problem], severity| match &root {
        Some(root) => placed(problems, severity, root),
        None => Vec::new(),
    };
    match config::interpret(&said) {
        Ok(meant) => {
            let text = source.text().trim_start_matches('\u{feff}').to_owned();
            let findings = findings(&meant.warnings(), Severity::Warning);
            let warnings = Checked::new(source, 1, findings);
            Ok(Own { text, said, meant, warnings })
        }
        Err(problems) => Err(wrong(source, findings(&all(&problems), Severity::Error))),
    }
}

/// The findings of many files as one JSON array.
pub fn json(checked: &[Checked]) -> String {
    let records = |checked: &Checked| -> Vec<serde_json::Value> {
        let record = |finding: &Finding| serde_json::json!(finding.record(&checked.source));
        checked.findings.iter().map(record).collect()
    };
    let all: Vec<serde_json::Value> = checked.iter().flat_map(records).collect();
    format!("{:#}\n", serde_json::Value::from(all))
}

impl Checked {
    fn new(source: Source, configurations: usize, mut findings: Vec<Finding>) -> Self {
        for finding in &mut findings {
            finding.at = finding.at.as_ref().map(|at| source.clamp(at));
        }
        Self { source, configurations, findings }
    }

    /// Whether the filter takes what stands there, and something does.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Warning)
    }

    /// All that was found, in the order of the file.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many configurations stand in it.
    pub fn configurations(&self) -> usize {
        self.configurations
    }

    /// What was found as people read it, and one line if it is good.
    pub fn tell(&self, paint: Paint) -> String {
        let mut told = self.tell_findings(paint);
        if self.is_good() {
            let plural = if self.configurations == 1 { "" } else { "s" };
            let (name, number) = (harmless(self.source.name()), self.configurations);
            // Writing to a String cannot fail.
            let _ = writeln!(told, "ok {name}: {number} configuration{plural}");
        }
        told
    }

    /// Only what was found.
    pub fn tell_findings(&self, paint: Paint) -> String {
        let mut told = String::new();
        self.findings.iter().for_each(|finding| finding.write(&self.source, paint, &mut told));
        told
    }
}

fn check_found(source: Source, found: &Found) -> Checked {
    let Found { blocks, problems, others, .. } = found;
    let around =
        |(message, at): &(String, Range<usize>)| Finding::error(message.clone(), Some(at.clone()));
    let mut findings: Vec<Finding> = blocks.iter().flat_map(check_block).collect();
    let known: HashSet<Option<Range<usize>>> =
        findings.iter().map(|finding| finding.at.clone()).collect();
    for finding in problems.iter().take(MOST_TOLD).map(around) {
        // A key of ours that is said twice is known already.
        if !known.contains(&finding.at) {
            findings.push(finding);
        }
    }
    findings.sort_by_key(|finding| finding.at.as_ref().map_or(0, |at| at.start));
    if blocks.is_empty() {
        findings.push(Finding::error(nothing_found(*others), None));
    }
    Checked::new(source, blocks.len(), findings)
}

fn nothing_found(others: usize) -> String {
    let expected = "expected the filter's own keys, or a Wasm filter, a WasmPlugin or an EnvoyExtensionPolicy \
                    with `sightline` in its name or in the module's path";
    match others {
        0 => format!("no configuration of Sightline in it; {expected}"),
        1 => format!(
            "no configuration of Sightline in it, only one of another Wasm filter; {expected}"
        ),
        _ => format!(
            "no configuration of Sightline in it, only {others} of other Wasm filters; {expected}"
        ),
    }
}

fn check_block(block: &Block) -> Vec<Finding> {
    match block {
        Block::Empty => Vec::new(),
        Block::Tree { node, reader: Reader::Envoy } => check_tree(node, &node.value(Reader::Envoy)),
        Block::Tree { node, reader } => {
            let node = node::merged(node);
            check_tree(&node, &node.value(*reader))
        }
        Block::Text(text) => check_text(text),
    }
}

fn check_tree(root: &Node, said: &Value) -> Vec<Finding> {
    match config::interpret(said) {
        Ok(meant) => placed(&meant.warnings(), Severity::Warning, root),
        Err(problems) => placed(&all(&problems), Severity::Error, root),
    }
}

/// A text is read by the filter itself, as JSON. Its places are found with the other parser.
fn check_text(node: &Rc<Node>) -> Vec<Finding> {
    let Kind::Scalar(scalar) = &node.kind else {
        let message = "a map or a list stands here, expected JSON as a text; or google.protobuf.Struct as the @type";
        return vec![Finding::error(message, Some(node.span.clone()))];
    };
    let root =
        yaml::read(&scalar.text, &scalar.origin).ok().and_then(|mut documents| documents.pop());
    let root = root.map_or_else(|| Rc::clone(node), |document| document.root);
    match Value::from_bytes(scalar.text.as_bytes()) {
        Ok(said) => check_tree(&root, &said),
        Err(unreadable) => not_json(Problem::from(unreadable), &root, scalar),
    }
}

/// What is wrong with a text that is no JSON; if it is YAML, also with what that says.
fn not_json(problem: Problem, root: &Node, scalar: &Scalar) -> Vec<Finding> {
    let text = &scalar.text;
    let at = source::offset_told(text, &problem.message).unwrap_or(0);
    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let letter = text.get(at..).and_then(|rest| rest.chars().next());
    let at = scalar.origin.range(at..at + letter.map_or(0, char::len_utf8));
    if !matches!(root.kind, Kind::Map(_)) || text.trim_start().starts_with('{') {
        return vec![Finding::error(problem.message, Some(at))];
    }
    let message = "YAML stands here as a text, and the filter reads texts as JSON; \
                   expected JSON, or google.protobuf.Struct as the @type";
    let mut findings = vec![Finding::error(message, Some(at))];
    findings.extend(check_tree(root, &root.value(Reader::Other)));
    findings
}

fn all(problems: &Problems) -> Vec<Problem> {
    problems.iter().cloned().collect()
}

/// What the core says, each with its place, in the order of the file.
fn placed(problems: &[Problem], severity: Severity, root: &Node) -> Vec<Finding> {
    let mut earlier: HashMap<(&str, &str), usize> = HashMap::new();
    let mut findings = Vec::new();
    for problem in problems.iter().take(MOST_TOLD) {
        let repeats = earlier.entry((&problem.path, &problem.message)).or_default();
        findings.push(Finding::of(problem, severity, locate::locate(problem, *repeats, root)));
        *repeats += 1;
    }
    if problems.len() > MOST_TOLD {
        let message = format!("{} more problems like these", problems.len() - MOST_TOLD);
        findings.push(Finding { severity, ..Finding::error(message, Some(root.span.clone())) });
    }
    findings.sort_by_key(|finding| finding.at.as_ref().map_or(0, |at| at.start));
    findings
}

fn not_yaml(Malformed { message, at }: Malformed) -> Finding {
    Finding::error(format!("no YAML: {message}"), Some(at))
}

#[cfg(test)]
mod tests;
