/// Who answered a call and counted its tokens, as far as names tell. Models are sold at their makers' list prices by most,
/// and at prices of their own by those who run open weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seller {
    /// The model's maker, or one of the others: client libraries give their own maker's name whomever they talk to.
    Maker(&'static str),
    /// Passes closed models on at their list prices, and has prices of its own for open ones.
    Cloud(&'static str),
    /// Has prices of its own for everything.
    Host(&'static str),
    /// Stands in front of a seller and says nothing about which.
    Proxy,
}

impl Seller {
    /// By what senders give as the provider: `openai`, `gcp.vertex_ai`, `anthropic.messages`.
    pub(super) fn of_provider(name: &str) -> Option<Self> {
        let is_anthropic = || name.to_ascii_lowercase().contains("anthropic");
        Self::of(name).or_else(|| is_anthropic().then_some(Self::Maker("anthropic")))
    }

    /// By what is in front of a model's name: `openai`, `vertex_ai`, `google-gla`.
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace(['_', '.', ' '], "-");
        let name = name.strip_suffix("-chat").unwrap_or(&name);
        Some(match name {
            "anthropic" | "claude" | "anthropic-ai" => Self::Maker("anthropic"),
            "google"
            | "gemini"
            | "google-gla"
            | "google-genai"
            | "google-ai"
            | "google-ai-studio"
            | "gcp-gemini"
            | "gcp-gen-ai"
            | "gcp-genai"
            | "google-generativeai"
            | "googleai" => Self::Maker("google"),
            "openai" | "openai-responses" | "text-completion-openai" | "chatgpt" => Self::Maker("openai"),
            "mistral" | "mistralai" | "mistral-ai" | "codestral" => Self::Maker("mistral"),
            "cohere" | "deepseek" | "moonshot" | "moonshotai" | "kimi" | "voyage" | "voyageai" | "zai"
            | "z-ai" | "zhipuai" | "xai" | "x-ai" | "grok" | "perplexity" | "pplx" | "ai21" | "amazon"
            | "meta" => Self::Maker("other"),
            "bedrock"
            | "aws"
            | "aws-bedrock"
            | "amazon-bedrock"
            | "bedrock-converse"
            | "bedrock-mantle"
            | "converse"
            | "amazon-bedrock-converse" => Self::Cloud("bedrock"),
            "vertex"
            | "vertex-ai"
            | "vertexai"
            | "google-vertex"
            | "google-vertex-ai"
            | "google-vertexai"
            | "gcp-vertex-ai"
            | "gcp-vertex"
            | "gcp"
            | "google-anthropic-vertex"
            | "anthropic-vertex"
            | "vertex-ai-anthropic-models"
            | "google-vertex-anthropic" => Self::Cloud("vertex"),
            "azure" | "azure-ai" | "azure-openai" | "az-ai-openai" | "az-ai-inference"
            | "azure-ai-inference" | "azure-ai-openai" | "azureml" | "azure-text" | "azure-foundry"
            | "azure-ai-foundry" => Self::Cloud("azure"),
            "openrouter" | "vercel" | "vercel-ai-gateway" | "requesty" | "github" | "github-models"
            | "githubmodels" | "heroku" => Self::Cloud("openrouter"),
            "groq" => Self::Host("groq"),
            "cerebras" => Self::Host("cerebras"),
            "together" | "together-ai" | "togetherai" => Self::Host("together"),
            "fireworks" | "fireworks-ai" => Self::Host("fireworks"),
            "deepinfra" | "novita" | "novita-ai" | "nebius" | "sambanova" | "hyperbolic" | "baseten"
            | "lambda" | "lambda-ai" | "nvidia" | "nvidia-nim" | "nscale" | "friendli" | "friendliai"
            | "replicate" | "huggingface" | "hf" | "databricks" | "snowflake" | "watsonx"
            | "ibm-watsonx-ai" | "oci" | "ollama" | "vllm" | "hosted-vllm" | "lmstudio" | "lm-studio"
            | "llamacpp" | "llama-cpp" | "llamafile" | "cloudflare" | "workers-ai" | "github-copilot"
            | "dashscope" | "featherless" | "featherless-ai" | "ovhcloud" | "scaleway" | "siliconflow"
            | "anyscale" | "predibase" | "volcengine" | "gmi" | "wandb" | "xinference" | "jan" => {
                Self::Host("other")
            }
            "litellm"
            | "litellm-proxy"
            | "gateway"
            | "portkey"
            | "helicone"
            | "langchain"
            | "cloudflare-ai-gateway"
            | "ai-gateway"
            | "models"
            | "publishers" => Self::Proxy,
            _ => return None,
        })
    }
}
