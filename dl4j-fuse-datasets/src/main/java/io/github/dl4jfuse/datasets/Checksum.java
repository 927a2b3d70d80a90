package io.github.dl4jfuse.datasets;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * The checksum that a file must have.
 *
 * @param algorithm for example "SHA-256"
 * @param hex the expected checksum in hexadecimal digits
 * @param ofUnpackedContent whether it is that of the content of a gzip file, since the packed bytes differ between mirrors
 */
record Checksum(String algorithm, String hex, boolean ofUnpackedContent) {

    /** Fails unless the file has this checksum. */
    void verify(Path file) throws IOException {
        try (InputStream raw = Files.newInputStream(file);
                InputStream content = ofUnpackedContent ? DataFile.unpack(raw) : raw) {
            verify(content);
        }
    }

    /** Fails unless all that is left of a stream, of unpacked content where this is its checksum, has this checksum. */
    void verify(InputStream content) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no " + algorithm + ".", e);
        }
        new DigestInputStream(content, digest).transferTo(OutputStream.nullOutputStream());
        String found = HexFormat.of().formatHex(digest.digest());
        if (!found.equals(hex.toLowerCase(Locale.ROOT))) {
            throw new IOException("its " + algorithm + (ofUnpackedContent ? " after unpacking" : "") + " is " + found
                    + " instead of " + hex);
        }
    }
}
