//! What is carried along while a document is read.

use std::collections::HashSet;
use std::sync::Arc;

/// Shared strings, and whether the geometry being read holds more than the model does.
///
/// Names, colours, dates and e-mail addresses repeat on every frame; each is stored once.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    odd: bool,
    strings: HashSet<Arc<str>>,
}

impl Reading {
    /// The shared copy of a string.
    pub(crate) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.strings.get(text) {
            return shared.clone();
        }
        let shared: Arc<str> = text.into();
        self.strings.insert(shared.clone());
        shared
    }

    /// As [`Reading::share`], looking first at the string that was here the last time.
    #[inline]
    pub(crate) fn share_near(&mut self, text: &str, last: &mut Option<Arc<str>>) -> Arc<str> {
        match last {
            Some(last) if **last == *text => last.clone(),
            _ => {
                let shared = self.share(text);
                *last = Some(shared.clone());
                shared
            }
        }
    }

    /// Notes that the geometry has keys or a form that the model does not represent.
    pub(crate) fn found_oddity(&mut self) {
        self.odd = true;
    }

    /// Whether an oddity was found since the last call.
    pub(crate) fn take_oddity(&mut self) -> bool {
        std::mem::take(&mut self.odd)
    }
}
