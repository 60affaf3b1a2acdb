//! The collector as Envoy is told of it for a gRPC call.

use super::protobuf::Message;

/// `GrpcService { EnvoyGrpc { string cluster_name = 1; string authority = 2 } envoy_grpc = 1 }`
///
/// Envoy takes a cluster's bare name as well, but only where its bytes do not happen to be such a message.
pub fn grpc_service(cluster: &str, authority: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Message::new(&mut bytes).message(1), cluster, authority);
    bytes
}

fn write(envoy: &mut Message<'_>, cluster: &str, authority: &str) {
    envoy.bytes(1, cluster.as_bytes());
    envoy.bytes(2, authority.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cluster_and_authority() {
        assert_eq!(grpc_service("otel", "a.test"), b"\x0a\x0e\x0a\x04otel\x12\x06a.test");
    }
}
