//! A plugin as Envoy's configuration names it: a module, what it is configured with, the VM it runs
//! in, and what becomes of traffic when it fails.

use serde_json::Value;

use crate::{Module, protobuf};

/// A plugin and its VM's configuration.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub(crate) module: Module,
    pub(crate) name: String,
    pub(crate) root_id: String,
    pub(crate) configuration: Vec<u8>,
    pub(crate) vm_id: String,
    pub(crate) vm_configuration: Vec<u8>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) policy: Option<Policy>,
    pub(crate) direction: Direction,
    pub(crate) listener_metadata: Value,
    pub(crate) may_stop_iteration: bool,
}

/// What Envoy does with traffic once the module has trapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Every request is answered with 503, until the plugin's configuration changes.
    FailClosed,
    /// Requests pass as if the plugin were not there.
    FailOpen,
    /// The VM is made anew for the next request, if the last time was a second ago or more.
    FailReload,
}

/// Which way the listener's traffic goes, as its configuration says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// It does not say.
    #[default]
    Unspecified,
    /// To the application.
    Inbound,
    /// From the application.
    Outbound,
}

/// What decides whether two plugins share a VM. Envoy makes a hash of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VmKey {
    id: String,
    configuration: Vec<u8>,
    code: u64,
}

/// What decides whether two plugins share a root context.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PluginKey {
    root_id: String,
    configuration: Vec<u8>,
    name: String,
    direction: i64,
    listener_metadata: String,
}

impl Plugin {
    /// A plugin of this module, without a configuration and without names.
    pub fn new(module: &Module) -> Self {
        Self {
            module: module.clone(),
            name: String::new(),
            root_id: String::new(),
            configuration: Vec::new(),
            vm_id: String::new(),
            vm_configuration: Vec::new(),
            environment: Vec::new(),
            policy: None,
            direction: Direction::default(),
            listener_metadata: Value::Null,
            may_stop_iteration: false,
        }
    }

    /// With this configuration, as the bytes that the module will read.
    #[must_use]
    pub fn configuration(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.configuration = bytes.into();
        self
    }

    /// With a configuration that is written as YAML or JSON in Envoy's own, in a
    /// `google.protobuf.Struct`. The module gets its serialized bytes.
    #[must_use]
    pub fn structured(self, configuration: &Value) -> Self {
        self.configuration(protobuf::structure(configuration))
    }

    /// With a name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// With a root id.
    #[must_use]
    pub fn root_id(mut self, id: &str) -> Self {
        self.root_id = id.into();
        self
    }

    /// With an id for the VM; Istio always leaves it empty, as it is without this.
    #[must_use]
    pub fn vm_id(mut self, id: &str) -> Self {
        self.vm_id = id.into();
        self
    }

    /// With a configuration for the VM, which is not the plugin's.
    #[must_use]
    pub fn vm_configuration(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.vm_configuration = bytes.into();
        self
    }

    /// With an environment variable for the module. Plugins that share a VM see the variables of
    /// the first.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// After a trap, traffic fares as this policy of Envoy's says. Without a policy a trap is an
    /// error of the test, so that none goes unseen.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// On a listener with this direction.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// On a listener with this metadata, as `filter_metadata` has it: a map by namespace.
    #[must_use]
    pub fn listener_metadata(mut self, metadata: Value) -> Self {
        self.listener_metadata = metadata;
        self
    }

    /// With Envoy's `allow_on_headers_stop_iteration`: 1 from a callback for headers holds back the
    /// headers alone, and the callbacks for the body come.
    #[must_use]
    pub fn may_stop_iteration(mut self) -> Self {
        self.may_stop_iteration = true;
        self
    }

    /// What Envoy puts in front of the plugin's log lines; a root does not know its name.
    pub(crate) fn label(&self, of_stream: bool) -> String {
        let unnamed = String::new();
        let name = if of_stream { &self.name } else { &unnamed };
        let names = [name, &self.root_id, &self.vm_id];
        names.into_iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn vm_key(&self) -> VmKey {
        VmKey {
            id: self.vm_id.clone(),
            configuration: self.vm_configuration.clone(),
            code: self.module.code(),
        }
    }

    pub(crate) fn key(&self) -> PluginKey {
        PluginKey {
            root_id: self.root_id.clone(),
            configuration: self.configuration.clone(),
            name: self.name.clone(),
            direction: self.direction.number(),
            listener_metadata: self.listener_metadata.to_string(),
        }
    }
}

impl Direction {
    /// Its number in Envoy's configuration.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Unspecified => 0,
            Self::Inbound => 1,
            Self::Outbound => 2,
        }
    }
}
