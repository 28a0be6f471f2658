"""The annotation app: Label Studio around biaskit."""
