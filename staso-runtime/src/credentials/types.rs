/// Crates whose clients, connections and pools show in `Debug` how they log in.
const CRATES: &[&str] = &[
    "reqwest",
    "hyper",
    "hyper_util",
    "http",
    "tonic",
    "ureq",
    "isahc",
    "surf",
    "awc",
    "async_openai",
    "async_openai_compat",
    "rig",
    "rig_core",
    "anthropic",
    "genai",
    "ollama_rs",
    "octocrab",
    "kube",
    "sqlx",
    "sqlx_core",
    "sqlx_postgres",
    "sqlx_mysql",
    "sqlx_sqlite",
    "sea_orm",
    "diesel",
    "tokio_postgres",
    "postgres",
    "mysql",
    "mysql_async",
    "mysql_common",
    "rusqlite",
    "libsql",
    "mongodb",
    "redis",
    "fred",
    "deadpool",
    "deadpool_postgres",
    "deadpool_redis",
    "bb8",
    "r2d2",
    "lapin",
    "rdkafka",
    "async_nats",
    "elasticsearch",
    "qdrant_client",
    "neo4rs",
    "aws_config",
    "aws_types",
    "aws_credential_types",
    "object_store",
    "azure_core",
    "lettre",
    "oauth2",
    "jsonwebtoken",
    "rustls",
    "native_tls",
    "tokio",
    "async_std",
    "smol",
];

/// The last part of such a type's name ends so.
const ENDINGS: &[&str] = &[
    "Client",
    "ClientInner",
    "HeaderMap",
    "HeaderValue",
    "Pool",
    "PoolInner",
    "Connection",
    "Conn",
    "ConnectionManager",
    "MultiplexedConnection",
    "Channel",
    "Agent",
    "Runtime",
    "Handle",
    "Config",
    "SdkConfig",
    "ConnectOptions",
    "Opts",
    "OptsBuilder",
    "Credentials",
    "Transport",
    "EncodingKey",
    "DecodingKey",
    "Octocrab",
    "Graph",
];

/// Whether a type, given its full name, is one that carries credentials or says nothing: a client, a
/// connection, headers, a runtime. Also behind references and pointers.
pub(crate) fn holds_credentials(type_name: &str) -> bool {
    let name = bare(type_name);
    let path = name.split(['<', '>']).next().unwrap_or(name);
    let Some((krate, rest)) = path.split_once("::") else { return false };
    let last = rest.rsplit("::").next().unwrap_or(rest);
    ENDINGS.iter().any(|ending| last.ends_with(ending))
        && (CRATES.contains(&krate) || krate.starts_with("aws_sdk_"))
}

/// The type behind references, pointers and options.
fn bare(mut name: &str) -> &str {
    loop {
        let inner = name.trim_start_matches(['&', ' ']);
        let inner = inner.strip_prefix("mut ").unwrap_or(inner);
        let inner = [
            "alloc::sync::Arc<",
            "alloc::rc::Rc<",
            "alloc::boxed::Box<",
            "core::option::Option<",
            "core::pin::Pin<",
        ]
        .iter()
        .find_map(|pointer| inner.strip_prefix(pointer))
        .unwrap_or(inner);
        if inner.len() == name.len() {
            return name;
        }
        name = inner;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_and_headers_are_known_behind_pointers() {
        for name in [
            "reqwest::async_impl::client::Client",
            "&reqwest::blocking::client::Client",
            "http::header::map::HeaderMap",
            "http::header::map::HeaderMap<alloc::string::String>",
            "&mut alloc::sync::Arc<sqlx_core::pool::Pool<sqlx_postgres::database::Postgres>>",
            "core::option::Option<&tokio::runtime::handle::Handle>",
            "aws_sdk_s3::client::Client",
            "async_openai::client::Client<async_openai::config::OpenAIConfig>",
        ] {
            assert!(holds_credentials(name), "{name}");
        }
        for name in [
            "my_app::Client",
            "alloc::string::String",
            "&str",
            "reqwest::async_impl::response::Response",
            "http::method::Method",
            "u8",
        ] {
            assert!(!holds_credentials(name), "{name}");
        }
    }
}
