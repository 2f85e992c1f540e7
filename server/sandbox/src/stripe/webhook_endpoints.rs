//! Webhook endpoints: create, retrieve, list, update, delete (Stripe API reference, Webhook Endpoints).

use serde_json::{Value, json};
use url::Url;

use super::{
    error::ApiError,
    ids,
    lists::Query,
    objects::endpoint::Endpoint,
    operation::Ctx,
    params::{self, Metadata, Params},
    version,
};

const OBJECT: (&str, &str) = ("webhook_endpoint", "/v1/webhook_endpoints");

/// The most endpoints per account, as at the provider.
const MAX_ENDPOINTS: usize = 16;

fn missing(id: &str) -> ApiError {
    ApiError::no_such("webhook endpoint", id, "webhook_endpoint")
}

fn wire(ctx: &Ctx<'_>) -> Result<Value, ApiError> {
    ctx.account.endpoints.get(ctx.id).map(Endpoint::wire).ok_or_else(|| missing(ctx.id))
}

/// `POST /v1/webhook_endpoints`: the only reply that shows the secret.
pub fn create(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let url = address(params.required("url", 5_000)?)?;
    let enabled_events = types(&mut params)?.ok_or_else(|| ApiError::missing("enabled_events"))?;
    let description = params.text("description")?.filter(|text| !text.is_empty());
    let api_version = params.string("api_version", 60)?;
    if api_version.as_deref().is_some_and(|named| !version::well_formed(named)) {
        return Err(ApiError::invalid("Invalid API version.").param("api_version"));
    }
    if params.boolean("connect")? == Some(true) {
        return Err(ApiError::invalid("This sandbox does not simulate connect endpoints.").param("connect"));
    }
    let mut metadata = Metadata::new();
    if let Some(change) = params.metadata()? {
        params::apply(&mut metadata, change)?;
    }
    params.finish()?;
    if ctx.account.endpoints.len() >= MAX_ENDPOINTS {
        return Err(ApiError::invalid("You have reached the maximum of 16 test webhook endpoints.").after_start());
    }
    let endpoint = Endpoint {
        id: ids::object("we_1"),
        url,
        secret: ids::webhook_secret(),
        enabled_events,
        disabled: false,
        description,
        metadata,
        api_version,
        created: ctx.moment.now(),
    };
    let mut wire = endpoint.wire();
    wire["secret"] = endpoint.secret.clone().into();
    ctx.account.endpoints.insert(endpoint);
    Ok(wire)
}

fn address(url: String) -> Result<String, ApiError> {
    let fits = Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    if !fits {
        return Err(ApiError::invalid("Invalid URL: An explicit scheme (such as https) must be provided.")
            .code("url_invalid")
            .param("url"));
    }
    Ok(url)
}

fn types(params: &mut Params) -> Result<Option<Vec<String>>, ApiError> {
    let Some(types) = params.strings("enabled_events")? else {
        return Ok(None);
    };
    for (at, kind) in types.iter().enumerate() {
        let fits = kind == "*"
            || (kind.contains('.')
                && kind
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte)));
        if !fits {
            return Err(ApiError::invalid(format!("Invalid enabled_events[{at}]: {kind}"))
                .param(&format!("enabled_events[{at}]")));
        }
    }
    if types.is_empty() {
        return Err(ApiError::empty("enabled_events"));
    }
    Ok(Some(types))
}

/// `GET /v1/webhook_endpoints/:id`
pub fn retrieve(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    wire(ctx)
}

/// `GET /v1/webhook_endpoints`
pub fn list(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let query = Query::take(&mut params)?;
    params.finish()?;
    query.page(&ctx.account.endpoints, OBJECT, |endpoint| endpoint.created, |_| true, Endpoint::wire)
}

/// `POST /v1/webhook_endpoints/:id`
pub fn update(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let url = params.string("url", 5_000)?.map(address).transpose()?;
    let enabled_events = types(&mut params)?;
    let disabled = params.boolean("disabled")?;
    let description = params.text("description")?;
    let change = params.metadata()?;
    params.finish()?;
    let endpoint = ctx.account.endpoints.get_mut(ctx.id).ok_or_else(|| missing(ctx.id))?;
    if let Some(change) = change {
        params::apply(&mut endpoint.metadata, change)?;
    }
    if let Some(description) = description {
        endpoint.description = Some(description).filter(|text| !text.is_empty());
    }
    endpoint.url = url.unwrap_or_else(|| endpoint.url.clone());
    endpoint.enabled_events = enabled_events.unwrap_or_else(|| endpoint.enabled_events.clone());
    endpoint.disabled = disabled.unwrap_or(endpoint.disabled);
    wire(ctx)
}

/// `DELETE /v1/webhook_endpoints/:id`
pub fn delete(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let gone = ctx.account.endpoints.remove(ctx.id).ok_or_else(|| missing(ctx.id))?;
    Ok(json!({"id": gone.id, "object": "webhook_endpoint", "deleted": true}))
}
