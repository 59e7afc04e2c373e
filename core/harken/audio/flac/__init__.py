"""FLAC frames into samples, faster than FFmpeg does it; what is not plain is left to FFmpeg."""
