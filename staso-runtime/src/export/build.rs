use super::{
    Batch, Choice, Export, ExportError, console::ConsoleExporter, exporter::Exporter, file::FileExporter,
};
use crate::config::{Environment, InitError, Settings};

/// Makes the exporter that was chosen.
pub(crate) fn build(settings: &mut Settings) -> Result<Box<dyn Export>, InitError> {
    let Exporter(choice) = std::mem::replace(&mut settings.exporter, Exporter::none());
    match choice {
        Choice::Http => http(settings),
        Choice::Console => {
            let environment = Environment::Process;
            Ok(Box::new(ConsoleExporter::stderr(|name| environment.get(name))))
        }
        Choice::File(path) => match FileExporter::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(refused(format!("the file of the exporter cannot be opened: {error}"))),
        },
        Choice::None => Ok(Box::new(Nowhere)),
        Choice::Custom(exporter) => Ok(exporter),
    }
}

#[cfg(feature = "http")]
fn http(settings: &mut Settings) -> Result<Box<dyn Export>, InitError> {
    use super::{ApiKey, HttpExporter, HttpSettings, ProxyChoice, TlsRoots};

    let backend = &mut settings.backend;
    let mut http = HttpSettings::new(
        std::mem::take(&mut backend.base_url),
        ApiKey::new(std::mem::take(&mut backend.api_key)),
    );
    http.timeout = backend.timeout;
    if let Some(proxy) = backend.proxy.take() {
        http.proxy = if proxy.is_empty() { ProxyChoice::Off } else { ProxyChoice::Url(proxy) };
    }
    if !backend.root_certificates.is_empty() {
        http.tls_roots = TlsRoots::Only(std::mem::take(&mut backend.root_certificates));
    }
    match HttpExporter::new(http) {
        Ok(exporter) => Ok(Box::new(exporter)),
        Err(problem) => Err(refused(problem)),
    }
}

#[cfg(not(feature = "http"))]
fn http(_: &mut Settings) -> Result<Box<dyn Export>, InitError> {
    Err(refused(
        "the http exporter is not part of this build: enable the feature `http` of staso, or choose \
         another exporter"
            .to_owned(),
    ))
}

fn refused(problem: String) -> InitError {
    InitError::new("exporter", Some("STASO_EXPORTER"), problem)
}

/// Takes everything, and keeps nothing.
struct Nowhere;

impl Export for Nowhere {
    fn export(&mut self, _: &Batch) -> Result<(), ExportError> {
        Ok(())
    }
}
