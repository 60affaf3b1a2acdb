//! What collectors know of logs: every record by itself, with all that is said about it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};
use sightline_cli::otlp::proto::collector::logs::v1::ExportLogsServiceRequest;
use sightline_cli::otlp::proto::common::v1::any_value::Value as Any;
use sightline_cli::otlp::proto::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use sightline_cli::otlp::proto::logs::v1::{LogRecord, ResourceLogs};

/// A log record, and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedRecord {
    /// The resource's attributes.
    pub resource: Arc<BTreeMap<String, Value>>,
    /// Who wrote it.
    pub scope: Arc<InstrumentationScope>,
    /// Its attributes, with the types that they were sent with.
    pub attributes: BTreeMap<String, Value>,
    /// As it was received.
    pub record: LogRecord,
}

impl ReceivedRecord {
    /// An attribute; null if there is none.
    pub fn attribute(&self, name: &str) -> &Value {
        self.attributes.get(name).unwrap_or(&Value::Null)
    }

    /// What it says.
    pub fn body(&self) -> Value {
        self.record.body.as_ref().map_or(Value::Null, value)
    }

    /// Its trace, as hexadecimal digits.
    pub fn trace_id_hex(&self) -> String {
        hex(&self.record.trace_id)
    }

    /// Its span, likewise.
    pub fn span_id_hex(&self) -> String {
        hex(&self.record.span_id)
    }
}

/// All records of an export, in their order.
pub(super) fn records(request: &ExportLogsServiceRequest) -> Vec<ReceivedRecord> {
    request.resource_logs.iter().flat_map(of_resource).collect()
}

fn of_resource(logs: &ResourceLogs) -> Vec<ReceivedRecord> {
    let said = logs.resource.as_ref().map(|resource| resource.attributes.as_slice());
    let resource = Arc::new(attributes(said.unwrap_or_default()));
    let mut records = Vec::new();
    for scoped in &logs.scope_logs {
        let scope = Arc::new(scoped.scope.clone().unwrap_or_default());
        records.extend(scoped.log_records.iter().map(|record| ReceivedRecord {
            resource: Arc::clone(&resource),
            scope: Arc::clone(&scope),
            attributes: attributes(&record.attributes),
            record: record.clone(),
        }));
    }
    records
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, Value> {
    let mut read = BTreeMap::new();
    for KeyValue { key, value: said, .. } in pairs {
        let before = read.insert(key.clone(), said.as_ref().map_or(Value::Null, value));
        assert_eq!(before, None, "{key} is there twice");
    }
    read
}

fn value(said: &AnyValue) -> Value {
    match said.value.as_ref() {
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::IntValue(number)) => json!(number),
        Some(Any::BoolValue(is_so)) => json!(is_so),
        Some(Any::DoubleValue(number)) => json!(number),
        Some(Any::ArrayValue(list)) => list.values.iter().map(value).collect(),
        other => panic!("no value that anybody here writes: {other:?}"),
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
