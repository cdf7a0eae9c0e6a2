use axum::http::StatusCode;
use staso_server::{
    http::Mode,
    keys,
    model::{Grant, KeyScope},
    store::Store as _,
};

use crate::client::Client;

/// A server that asks for keys, called with one of this scope.
async fn called_with(scope: KeyScope) -> Client {
    let client = Client::empty(Mode::Keys).await;
    client.store.create_workspace("payments".parse().unwrap()).await.unwrap();
    let (key, kept) = keys::generate("first", scope).unwrap();
    client.store.create_key(kept).await.unwrap();
    client.with_key(key.expose())
}

#[tokio::test]
async fn a_new_key_is_shown_once_and_opens_its_workspace_until_it_is_revoked() {
    let client = called_with(KeyScope::Organization).await;
    let (status, page) = client.post("/settings/keys", "name=workers+%3C1%3E&workspace=payments").await;
    assert_eq!(status, StatusCode::CREATED, "{page}");
    let key = page.split("id=\"new-key\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(
        page.contains("workers &lt;1&gt;") && !page.contains("<1>"),
        "escaped wherever it stands: {page}"
    );
    let access = keys::access(&*client.store, &key).await.unwrap().unwrap();
    assert!(matches!(access.grant, Grant::Workspace(workspace) if workspace.slug == "payments"));

    let (_, page) = client.page("/settings").await;
    assert!(!page.contains(&key) && page.contains(&format!("{}…", &key[..12])));
    assert!(
        page.contains("workers &lt;1&gt;") && !page.contains("<1>"),
        "escaped wherever it stands: {page}"
    );

    let id = client.store.keys().await.unwrap()[0].id.0;
    let (status, _) = client.post(&format!("/settings/keys/{id}/revoke"), "").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(keys::access(&*client.store, &key).await.unwrap(), None);
    assert!(client.page("/settings").await.1.contains("revoked"));
    assert_eq!(client.post("/settings/keys/999/revoke", "").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_workspace_is_made_under_a_name_that_is_free_and_fit_for_addresses() {
    let client = called_with(KeyScope::Organization).await;
    let made = client.post("/settings/workspaces", "slug=support").await;
    assert_eq!(made.0, StatusCode::SEE_OTHER);
    assert!(client.store.workspace("support").await.unwrap().is_some());
    for (form, reason) in
        [("slug=support", "exists"), ("slug=sup%2Fport", "1 to 64 letters"), ("slug=", "1 to 64 letters")]
    {
        let (status, page) = client.post("/settings/workspaces", form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(page.contains(reason), "{form}: {page}");
    }
}

#[tokio::test]
async fn a_key_of_one_workspace_neither_sees_nor_changes_the_settings() {
    let client = called_with(KeyScope::Workspace("payments".to_owned())).await;
    let (status, page) = client.page("/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(!page.contains("/settings\"") && !page.contains("workspace=default"), "{page}");
    assert_eq!(client.page("/settings").await.0, StatusCode::FORBIDDEN);
    for (path, form) in [
        ("/settings/keys", "name=mine&workspace="),
        ("/settings/workspaces", "slug=mine"),
        ("/settings/keys/1/revoke", ""),
    ] {
        assert_eq!(client.post(path, form).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(client.store.keys().await.unwrap().len(), 1);
    assert_eq!(client.page("/traces?workspace=default").await.0, StatusCode::NOT_FOUND);
}
