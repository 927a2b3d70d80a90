package io.github.dl4jfuse;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Every public type of every published module has a sentence, and so has every public method that isn't inherited. */
class DocumentationTest {

    private static final List<String> MODULES = List.of("acceleration", "core", "datasets", "tools");

    @Test
    void everyPublicTypeAndMethodHasASentence() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String module : MODULES) {
            Path root = Path.of("..", "dl4j-fuse-" + module, "src", "main", "java");
            try (Stream<Path> all = Files.walk(root)) {
                all.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
            }
        }
        assertThat(sources).hasSizeGreaterThan(200);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask)
                    compiler.getTask(null, files, null, null, null, files.getJavaFileObjectsFromPaths(sources));
            Undocumented undocumented = new Undocumented(DocTrees.instance(task));
            for (CompilationUnitTree unit : task.parse()) {
                undocumented.scan(unit, null);
            }
            assertThat(undocumented.found).as("without a sentence").isEmpty();
        }
    }

    private static final class Undocumented extends TreePathScanner<Void, Void> {

        private final DocTrees docs;
        private final List<String> found = new ArrayList<>();

        Undocumented(DocTrees docs) {
            this.docs = docs;
        }

        @Override
        public Void visitClass(ClassTree type, Void unused) {
            if (!type.getModifiers().getFlags().contains(Modifier.PUBLIC)) {
                return null; // nor do its members
            }
            require(type.getSimpleName().toString());
            return super.visitClass(type, unused);
        }

        @Override
        public Void visitMethod(MethodTree method, Void unused) {
            ModifiersTree modifiers = method.getModifiers();
            boolean isPublic = modifiers.getFlags().contains(Modifier.PUBLIC) || isOfAnInterface();
            boolean inherited = modifiers.getAnnotations().stream()
                    .anyMatch(each -> each.getAnnotationType().toString().equals("Override"));
            boolean program = method.getName().contentEquals("main");
            if (isPublic && !inherited && !program) {
                require(method.getName().toString());
            }
            return null;
        }

        private boolean isOfAnInterface() {
            return getCurrentPath().getParentPath().getLeaf().getKind() == Tree.Kind.INTERFACE;
        }

        private void require(String name) {
            TreePath path = getCurrentPath();
            if (docs.getDocComment(path) == null) {
                Path file = Path.of(path.getCompilationUnit().getSourceFile().toUri());
                found.add(file.getFileName() + ": " + name);
            }
        }
    }
}
