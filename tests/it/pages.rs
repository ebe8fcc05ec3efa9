//! The lab's pages in a real browser, with real services, where there is a browser.

mod axe;
mod browser;
mod catalogue;
mod compare;
mod doubt;
mod growing;
mod hostile;
mod lesson;
mod lessons;
mod linked;
mod logs;
mod menu;
mod pictures;
mod quiz;
mod readers;
mod restart;
mod scripts;
mod sizes;
mod steps;
mod storm;
mod tables;
mod tabs;
mod worlds;
