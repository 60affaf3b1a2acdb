//! Regular expressions of Python, read as far as it takes to cut them at their slashes.
//!
//! What a class or an escape takes stays a text, for the core's own parser; here it only matters whether that may be a
//! slash.

/// Several ways, of which one is taken.
pub(super) type Arms<'a> = Vec<Vec<Item<'a>>>;

/// Something, and how often it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    pub(super) atom: Atom<'a>,
    /// `?`, `*?`, `{2,3}`; empty for once.
    pub(super) times: &'a str,
    /// Both as they are written.
    pub(super) source: &'a str,
}

/// Something that is repeated as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Atom<'a> {
    /// This character.
    Char(char),
    /// Some character, perhaps a slash.
    Set { slash: bool },
    /// What stands in brackets.
    Group { name: Option<&'a str>, inner: &'a str, arms: Arms<'a> },
}

impl Item<'_> {
    /// Whether a slash may be among what it takes.
    pub(super) fn has_slash(&self) -> bool {
        match &self.atom {
            Atom::Char(char) => *char == '/',
            Atom::Set { slash } => *slash,
            Atom::Group { arms, .. } => arms.iter().flatten().any(Item::has_slash),
        }
    }

    /// Whether it is a group with a name, or there is one in it.
    pub(super) fn has_name(&self) -> bool {
        match &self.atom {
            Atom::Group { name, arms, .. } => {
                name.is_some() || arms.iter().flatten().any(Item::has_name)
            }
            Atom::Char(_) | Atom::Set { .. } => false,
        }
    }
}

/// How deep groups may be in each other.
const DEEPEST: usize = 32;

/// Reads all of a text.
pub(super) fn parse(text: &str) -> Result<Arms<'_>, String> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let arms = parser.arms()?;
    match parser.peek() {
        None => Ok(arms),
        Some(char) => Err(format!("there is a `{char}` too many in its expression")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn arms(&mut self) -> Result<Arms<'a>, String> {
        let mut arms = vec![self.sequence()?];
        while self.take("|") {
            arms.push(self.sequence()?);
        }
        Ok(arms)
    }

    fn sequence(&mut self) -> Result<Vec<Item<'a>>, String> {
        let mut items = Vec::new();
        while let Some(char) = self.peek().filter(|char| !matches!(char, '|' | ')')) {
            let start = self.at;
            let atom = self.atom(char)?;
            let times = self.times()?;
            items.push(Item { atom, times, source: self.since(start) });
        }
        Ok(items)
    }

    fn atom(&mut self, char: char) -> Result<Atom<'a>, String> {
        self.at += char.len_utf8();
        match char {
            '(' => self.group(),
            '[' => self.class(),
            '\\' => self.escape(),
            '.' => Ok(Atom::Set { slash: true }),
            '^' | '$' => Err(format!("`{char}` stands in the middle of its expression")),
            '?' | '*' | '+' => Err(format!("there is nothing that `{char}` repeats")),
            _ => Ok(Atom::Char(char)),
        }
    }

    fn group(&mut self) -> Result<Atom<'a>, String> {
        let name = self.group_head()?;
        if self.depth == DEEPEST {
            return Err("its groups are too deep".to_owned());
        }
        let start = self.at;
        self.depth += 1;
        let arms = self.arms()?;
        self.depth -= 1;
        let inner = self.since(start);
        if self.take(")") {
            Ok(Atom::Group { name, inner, arms })
        } else {
            Err("a group is never closed".to_owned())
        }
    }

    /// What stands between the bracket and the inside of a group.
    fn group_head(&mut self) -> Result<Option<&'a str>, String> {
        if !self.take("?") || self.take(":") {
            return Ok(None);
        }
        if !self.take("P<") {
            return Err("it looks around, refers back or has flags".to_owned());
        }
        let rest = self.rest();
        let (name, _) = rest.split_once('>').ok_or("the name of a group is never closed")?;
        self.at += name.len() + 1;
        Ok(Some(name))
    }

    /// A class in square brackets. A closing one right behind the opening one is a member.
    fn class(&mut self) -> Result<Atom<'a>, String> {
        let negated = self.take("^");
        let start = self.at;
        let mut slash = false;
        loop {
            let is_first = self.at == start;
            match self.next().ok_or("a class is never closed")? {
                ']' if !is_first => return Ok(Atom::Set { slash: slash != negated }),
                '\\' => slash |= self.next().is_some_and(takes_slash),
                '/' => slash = true,
                // A range that the slash lies in, as in `+-9`.
                '-' if !is_first => slash |= self.is_range_over_slash(),
                _ => {}
            }
        }
    }

    /// Whether the range in whose middle the cursor stands has the slash in it.
    fn is_range_over_slash(&self) -> bool {
        let before = self.text.get(..self.at - 1).and_then(|text| text.chars().next_back());
        let behind = self.peek().filter(|char| !matches!(char, ']' | '\\'));
        before.zip(behind).is_some_and(|(first, last)| first <= '/' && '/' <= last)
    }

    fn escape(&mut self) -> Result<Atom<'a>, String> {
        let escaped = self.next().ok_or("its expression ends in a backslash")?;
        match escaped {
            'd' | 'w' | 's' => Ok(Atom::Set { slash: false }),
            'D' | 'W' | 'S' => Ok(Atom::Set { slash: true }),
            _ if escaped.is_ascii_alphanumeric() => {
                Err(format!("`\\{escaped}` in its expression has no counterpart"))
            }
            _ => Ok(Atom::Char(escaped)),
        }
    }

    fn times(&mut self) -> Result<&'a str, String> {
        let start = self.at;
        if self.take("{") {
            let (inside, _) = self.rest().split_once('}').ok_or("a `{` is never closed")?;
            self.at += inside.len() + 1;
        } else if !["?", "*", "+"].into_iter().any(|mark| self.take(mark)) {
            return Ok("");
        }
        self.take("?");
        Ok(self.since(start))
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }
}

/// Whether an escape in a class takes a slash, as `\W` does.
fn takes_slash(escaped: char) -> bool {
    matches!(escaped, 'D' | 'W' | 'S' | '/')
}
