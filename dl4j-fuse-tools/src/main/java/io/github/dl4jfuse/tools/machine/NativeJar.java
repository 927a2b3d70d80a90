package io.github.dl4jfuse.tools.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A jar with ND4J's native library for the CPU.
 *
 * @param path where it lies
 * @param version of ND4J
 * @param platform such as linux-x86_64
 * @param extension what follows the platform in the classifier: empty, -avx2, -avx512, -onednn, -onednn-avx2 ..
 */
public record NativeJar(Path path, String version, String platform, String extension) {

    private static final Pattern NAME =
            Pattern.compile("nd4j-native-(1\\.[^/]+?)-((?:linux|windows|macosx)-[a-z0-9_]+)(-[a-z0-9-]+)?\\.jar");

    /** Reads a jar's name; empty for any other file. */
    public static Optional<NativeJar> parse(Path path) {
        Matcher matcher = NAME.matcher(path.getFileName().toString());
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String extension = matcher.group(3) == null ? "" : matcher.group(3);
        return Optional.of(new NativeJar(path, matcher.group(1), matcher.group(2), extension));
    }

    /** Returns the first such jar of a class path. */
    public static Optional<NativeJar> on(List<Path> classPath) {
        return classPath.stream().flatMap(path -> parse(path).stream()).findFirst();
    }

    /** Returns the whole classifier. */
    public String classifier() {
        return platform + extension;
    }

    /**
     * Returns the JVM option that makes JavaCPP load this jar's library where the class path holds several. It looks for
     * the extension named and then for none, so a name that no jar has selects the plain one.
     */
    public String selection() {
        return "-Dorg.bytedeco.javacpp.platform.extension=" + (extension.isEmpty() ? "-plain" : extension);
    }

    /**
     * Returns this jar and its siblings of the same version and platform: in its own folder and in the user's local Maven
     * repository.
     */
    public List<NativeJar> siblings() {
        Path repository =
                Path.of(System.getProperty("user.home"), ".m2", "repository", "org", "nd4j", "nd4j-native", version);
        return Stream.of(path.toAbsolutePath().getParent(), repository)
                .flatMap(NativeJar::list)
                .flatMap(file -> parse(file).stream())
                .filter(jar -> jar.version.equals(version) && jar.platform.equals(platform))
                .collect(Collectors.toMap(NativeJar::extension, jar -> jar, (first, later) -> first))
                .values()
                .stream()
                .sorted(Comparator.comparing(NativeJar::extension))
                .toList();
    }

    private static Stream<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList().stream();
        } catch (IOException e) {
            return Stream.empty();
        }
    }
}
