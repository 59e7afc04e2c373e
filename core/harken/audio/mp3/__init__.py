"""MP3 (ISO/IEC 11172-3 and 13818-3, layer III): the frames of a plain file, found here and decoded by FFmpeg."""
