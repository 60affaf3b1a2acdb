//! The live view in a terminal: the same figures as on the page, redrawn twice a second.
//!
//! It takes the whole terminal while it runs, and gives it back however it ends. What is drawn is decided in
//! `terminal/draw.rs`, what keys do in `terminal/view.rs`, and neither of them needs a terminal.

mod draw;
pub mod text;
mod view;

use std::io::{self, IsTerminal as _, Write as _};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{self, Event};
use crossterm::{cursor, execute, terminal};

use super::Live;
use draw::Paint;
use view::{Next, View};

/// How long figures are shown before they are asked for again.
const REDRAW: Duration = Duration::from_millis(500);

/// How often it is asked whether all has ended.
const LOOK: Duration = Duration::from_millis(100);

/// What is drawn on where nobody knows how large the terminal is.
const USUAL: (u16, u16) = (80, 24);

/// Whether the terminal is ours, for the panic hook.
static OURS: AtomicBool = AtomicBool::new(false);

/// The terminal, as long as it is ours.
struct Taken;

/// Shows the figures until somebody wants no more of them, or `ended` says that there are none.
///
/// It needs a terminal at both ends: stdin for keys, stdout to draw on.
pub fn run(live: &Live, ended: impl Fn() -> bool) -> io::Result<()> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let told = "the live view in a terminal needs one, and stdin or stdout is none: use --view page or --view none";
        return Err(io::Error::new(io::ErrorKind::Unsupported, told));
    }
    let paint = Paint::in_colour(std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()));
    let _taken = Taken::take()?;
    let mut view = View::new(live.snapshot());
    let mut asked = Instant::now();
    while !ended() {
        let (width, height) = terminal::size().unwrap_or(USUAL);
        show(&paint.page(&draw::page(&mut view, width.into(), height.into())))?;
        if next(&mut view, live, asked + REDRAW, &ended)? == Next::End {
            break;
        }
        if !OURS.load(Ordering::SeqCst) {
            return Err(io::Error::other("another part of the program has failed, as told above"));
        }
        if asked.elapsed() >= REDRAW {
            view.update(live.snapshot());
            asked = Instant::now();
        }
    }
    Ok(())
}

impl Taken {
    fn take() -> io::Result<Self> {
        give_back_on_panic();
        terminal::enable_raw_mode()?;
        OURS.store(true, Ordering::SeqCst);
        // From here on whatever fails gives back.
        let taken = Self;
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// What a panic says would else be drawn over, or be gone with the screen that it was written on.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
    });
}

/// Once is enough; what cannot be given back is gone.
fn give_back() {
    if OURS.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), cursor::Show, terminal::LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

fn show(page: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(page.as_bytes())?;
    out.flush()
}

/// Waits for a key, or for another size, and does what it says; for nothing longer than until `due`.
fn next(view: &mut View, live: &Live, due: Instant, ended: &impl Fn() -> bool) -> io::Result<Next> {
    while !ended() {
        let left = due.saturating_duration_since(Instant::now());
        if event::poll(left.min(LOOK))? {
            return Ok(match event::read()? {
                Event::Key(key) if !key.is_release() => view.key(key, live),
                _ => Next::Draw,
            });
        }
        if left.is_zero() {
            return Ok(Next::Draw);
        }
    }
    Ok(Next::End)
}
