//! Writes every page to a directory, to be looked at and tested: `cargo run -p app --example gallery -- OUT [SITE]`.
//!
//! `SITE` is the directory with the built assets; without it the pages have no style.

fn main() -> std::io::Result<()> {
    gallery::run()
}

#[cfg(target_arch = "wasm32")]
mod gallery {
    /// There are no files in a browser.
    pub fn run() -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod gallery {
    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use app::pages::{self, Asset, Assets, Lang, PageContext, Problem, phase_name, sample};
    use domain::checkout::{Phase, View};
    use domain::decline::DeclineClass;
    use domain::payment::CodeForm;

    const USAGE: &str = "usage: gallery OUT [SITE]";

    /// Writes every page in every language.
    pub fn run() -> io::Result<()> {
        let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
        let out = arguments.next().ok_or_else(|| io::Error::other(USAGE))?;
        let assets = match arguments.next() {
            Some(site) => built(&site, &out)?,
            None => sample::assets(),
        };
        let assets = Arc::new(assets);
        for lang in Lang::ALL {
            let ctx = PageContext::new(Some(lang.tag()), "", Arc::clone(&assets));
            write_all(&out.join(lang.tag()), &ctx)?;
        }
        Ok(())
    }

    fn write_all(directory: &Path, ctx: &PageContext) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let write = |name: &str, html: String| fs::write(directory.join(format!("{name}.html")), html);
        let page = |name: &str, view: &View| write(name, pages::checkout(view, true, ctx));
        for phase in sample::phases() {
            page(&name(phase), &sample::view(phase))?;
        }
        for notice in sample::NOTICES {
            let view = View { notice: Some(notice), ..sample::view(Phase::Choose) };
            page(&format!("notice-{notice:?}").to_lowercase(), &view)?;
        }
        write("link", pages::checkout(&sample::link(), false, ctx))?;
        page("ending", &sample::ending(Phase::Choose))?;
        page("hostile", &sample::hostile(Phase::Choose))?;
        page("hostile-paid", &sample::hostile(Phase::Paid))?;
        for problem in Problem::ALL {
            let again = Some("/c/070w3ge1r70w3ge1r70w3ge1r7".to_owned());
            write(&format!("problem-{}", problem.as_str()), pages::problem(problem, again, ctx))?;
        }
        let view = sample::view(Phase::Resume);
        let redirecting = pages::redirecting(&view, "https://pay.example/p?a=1&b=2", ctx);
        write("redirecting", redirecting.unwrap_or_default())?;
        let fields = [("PAY_REQUEST_ID".to_owned(), "1".to_owned())];
        write("sending", pages::sending(&view, "https://pay.example/p", &fields, ctx))?;
        for (name, form) in [("code-scan", CodeForm::Scan), ("code-app", CodeForm::AppLink)] {
            write(
                name,
                pages::code(&view, "swish://paymentrequest?token=c28a4061470f4af48973bd2a4642b4fa", form, ctx),
            )?;
        }
        page("no-methods", &View { methods: vec![], ..sample::view(Phase::Choose) })?;
        write("inactive", pages::inactive_link(&view.merchant, ctx))?;
        write("home", pages::home(ctx))
    }

    fn name(phase: Phase) -> String {
        match phase {
            Phase::Declined(DeclineClass::Generic) => "declined".to_owned(),
            Phase::Declined(class) => format!("declined-{class:?}").to_lowercase(),
            phase => phase_name(phase).to_owned(),
        }
    }

    /// Copies the built files beside the pages, so that the pages work from the disk too.
    fn built(site: &Path, out: &Path) -> io::Result<Assets> {
        let copies = out.join("assets");
        fs::create_dir_all(&copies)?;
        let mut found = [None, None, None];
        for entry in fs::read_dir(site)? {
            let path = entry?.path();
            let kind = path.extension().and_then(|kind| kind.to_str());
            let slot = ["css", "js", "wasm"].iter().position(|known| Some(*known) == kind);
            if let (Some(slot), Some(name)) = (slot, path.file_name()) {
                fs::copy(&path, copies.join(name))?;
                found[slot] = Some(Asset {
                    url: format!("../assets/{}", name.to_string_lossy()),
                    // A page from the disk has no origin, and browsers then refuse any digest.
                    integrity: String::new(),
                });
            }
        }
        match found {
            [Some(css), Some(js), Some(wasm)] => Ok(Assets { css, js, wasm }),
            _ => Err(io::Error::other("the site directory has no manifest of css, js and wasm")),
        }
    }
}
