//! The lab's pages in a real browser, with real services, where there is a browser.

mod axe;
mod browser;
mod doubt;
mod hostile;
mod lesson;
mod lessons;
mod readers;
mod restart;
mod sizes;
mod steps;
mod tabs;
